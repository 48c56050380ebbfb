//! Rooms with real threads and no network.
