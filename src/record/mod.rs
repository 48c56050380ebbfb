//! Recordings: what a room shows and sounds like, and what each participant sent, in files that survive a crash.
