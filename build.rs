//! Stops the build where `nasm` is missing: the H.264 codec would build silently in plain C, at two to three times the cost.

use std::process::{Command, Stdio};

fn main() {
    // A failed run is never cached, so that a later build looks for `nasm` again.
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=OPENH264_NO_ASM");
    let target = std::env::var("CARGO_CFG_TARGET_ARCH").expect("cargo sets the target's architecture");
    if !["x86", "x86_64"].contains(&target.as_str()) {
        return;
    }
    if std::env::var_os("OPENH264_NO_ASM").is_some() {
        println!("cargo::warning=OPENH264_NO_ASM is set: H.264 takes two to three times the processor time");
    } else if !nasm_runs() {
        println!(
            "cargo::error=nasm is not installed: OpenH264 would be built without its assembly and take two to three times the \
             processor time. Install it (Debian, Ubuntu: `apt install nasm`; macOS: `brew install nasm`; Windows: `winget install \
             NASM.NASM`), then run `cargo clean -p openh264-sys2` and build again."
        );
    }
}

fn nasm_runs() -> bool {
    Command::new("nasm").arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}
