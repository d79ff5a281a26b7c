//! Content protection, as a playlist signals it.

use crate::presentation::{Presentation, Track};

pub(super) fn write(_: &mut String, _: &str, _: &Presentation, _: &Track) {}
