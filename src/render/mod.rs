//! A room without a server: the whole pipeline on a virtual clock, from files into a file.
