//! Files that are played into a room as one more participant.
