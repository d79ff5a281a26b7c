//! Mending: what is to be written so that a presentation is whole again.
//!
//! ```text
//! .ism ─► names of media ─► walk of each file ─► its end: index, cut ─┐
//!   │                                                                ▼
//!   └── opened as it is ──────────────► opened over the changes ─► manifests ─► Mending
//! ```
//!
//! | Question | Rule |
//! |---|---|
//! | Which bytes of media change? | none in front of the end of the last whole fragment; boxes behind it that are whole stay, too, except for the index and free space |
//! | When is an index wrong? | if an entry leads to no fragment of its track, if a fragment has no entry, if times contradict fragments whose own times agree with their durations, if it is not at the end of the file, or if opening does not believe it |
//! | Where is a file cut? | in front of the first box that is not whole, if no fragment is behind that place; each file at its own end |
//! | When is a client manifest written anew? | if opening, with the mended media, does not serve it as it is, or finds chunks without media, or codec data that contradict the file |
//! | What is in it? | the stored one with the chunks, qualities and codec data of the media; if that is of no use, one of the media alone |
//! | Where does a stream end whose qualities do not end together? | with the last chunk that all of them have, because players switch between qualities at any chunk; the longer list stays if more than a tenth of it would be lost |
//! | When is a server manifest written anew? | if it is missing or cannot be read, or if it names files that are missing and the host knows others |
//! | When does a contradicted client manifest stay? | while a file is missing or cannot be mended: what is announced may come back with a copy |
//! | What is done in doubt? | nothing: a change after which less is served is not made |

mod change;
mod client;
mod index;
mod medium;
mod overlay;
mod read;
mod server;
mod walk;

pub use change::{Change, ChangeKind, MendOptions, Mending, Remark};
pub use read::mend;
