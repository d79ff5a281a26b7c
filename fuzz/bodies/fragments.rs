//! Fragments: any bytes behind the header of a healthy file. A walk finds what is one among them,
//! and every noun of each is asked for.

use super::container::Container;
use super::opening::open_and_ask;

/// A video track and an audio track.
const TINY: &[u8] = include_bytes!("../corpus/opening/tiny-without-client-manifest");

/// Opens a file that goes on with these bytes.
pub fn fragments(data: &[u8]) {
    let mut container = Container::decode(TINY);
    let file = container.media[0].as_mut().expect("a media file");
    let kind = file.windows(4).position(|word| word == b"moof").expect("a fragment");
    file.truncate(kind - 4);
    file.extend(data);
    open_and_ask(container);
}
