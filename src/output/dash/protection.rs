//! Content protection, as an Adaptation Set signals it.

use crate::manifest::XmlWriter;
use crate::presentation::{Presentation, Track};

pub(super) fn write(_: &mut XmlWriter, _: &Presentation, _: &Track) {}
