//! Tracks and fragments for tests.
