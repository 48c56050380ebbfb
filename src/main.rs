//! The `medley` command; everything it does is in the library.

fn main() -> std::process::ExitCode {
    medley::cli::main()
}
