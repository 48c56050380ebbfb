//! The `medley` command; everything it does is in the library.

/// For the codecs' C code as well. Pictures are freed on other threads than they were made on, and threads come and go with
/// rooms: the system's allocator keeps what each of them once held, so that memory grows with every room there has been.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    medley::cli::main()
}
