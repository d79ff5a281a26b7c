//! DASH: the media presentation description (MPD). Its segments are those of
//! [`cmaf`](super::cmaf).

mod mpd;
mod protection;
