//! Which file of a presentation is meant.

/// A file of a presentation, by the order in which opening met it: the server manifest is 0.
///
/// Only the presentation that gave an id out can say which name it stands for.
///
/// ```
/// # fn example(presentation: &smooth_origin::presentation::Presentation, error: &smooth_origin::Error) {
/// if let Some(file) = error.file().and_then(|id| presentation.files().get(id.index())) {
///     println!("{file}: {error}");
/// }
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(u32);

impl FileId {
    /// The server manifest itself.
    pub const SERVER_MANIFEST: Self = Self(0);

    /// The file that opening met as number `index`.
    pub const fn new(index: u32) -> Self {
        Self(index)
    }

    /// Its number, for tables that are ordered by it.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}
