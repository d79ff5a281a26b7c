//! The settings of a publishing point in an `.isml` file.

use super::PointOptions;
use super::moment::Duration;
use crate::manifest::{PublishingPointFile, SourceType};

impl PointOptions {
    /// Takes the settings of an `.isml` file: `lookaheadChunks`, `manifestWindowLength` (0 for everything) and
    /// `restartOnEncoderReconnect`. What the file does not say, or says so that it cannot be
    /// [read](PublishingPointFile::unread), stays as it is.
    ///
    /// ```
    /// use smooth_origin::Limits;
    /// use smooth_origin::live::PointOptions;
    /// use smooth_origin::manifest::PublishingPointFile;
    ///
    /// let text = br#"<smil xmlns="http://www.w3.org/2001/SMIL20/Language"><head>
    ///   <meta name="lookaheadChunks" content="1"/>
    ///   <meta name="archivePath" content="D:\events"/>
    /// </head><body/></smil>"#;
    /// let file = PublishingPointFile::parse(text, &Limits::default())?;
    /// let options = PointOptions::default().with_file(&file);
    /// let unused: Vec<_> = PointOptions::unused_settings(&file).collect();
    /// assert_eq!(unused, ["archivePath"]);
    /// # let _ = options;
    /// # Ok::<(), smooth_origin::Error>(())
    /// ```
    pub fn with_file(mut self, file: &PublishingPointFile) -> Self {
        if let Some(chunks) = file.look_ahead() {
            self = self.look_ahead(chunks);
        }
        let seconds = file.meta("manifestWindowLength").map(str::parse::<u32>);
        if let Some(Ok(seconds)) = seconds {
            self.window = (seconds > 0).then(|| Duration::from_secs(seconds.into()));
        }
        if let Some(restarts) = file.restarts_on_encoder_reconnect() {
            self.restart_on_encoder_reconnect = restarts;
        }
        self
    }

    /// The window that is set; see [`window`](Self::window).
    pub fn window_length(&self) -> Option<Duration> {
        self.window
    }

    /// Returns the names of the settings of an `.isml` file that ask for something and change nothing here, in
    /// document order, such as `archivePath`, or `sourceType` if it is `Pull`.
    pub fn unused_settings(file: &PublishingPointFile) -> impl Iterator<Item = &str> {
        const USED: [&str; 3] =
            ["lookaheadChunks", "manifestWindowLength", "restartOnEncoderReconnect"];
        // The handler, and what only tells people something.
        const SILENT: [&str; 4] = ["module", "creator", "title", "copyright"];
        let is_pull = file.source_type() == Some(SourceType::Pull);
        let unused = move |name: &str, content: &str| {
            let among = |names: &[&str]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
            let is_push = !is_pull && among(&["sourceType"]);
            !among(&USED) && !among(&SILENT) && !is_push && !matches!(content, "" | "0")
        };
        let metas = file.metas.iter().filter(move |(name, content)| unused(name, content.trim()));
        metas.map(|(name, _)| name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(metas: &[(&str, &str)]) -> PublishingPointFile {
        let mut file = PublishingPointFile::default();
        for (name, content) in metas {
            file.set(name, *content);
        }
        file
    }

    #[test]
    fn what_a_file_says_is_taken_and_the_rest_stays() {
        let before = PointOptions::default().look_ahead(7).window(Some(Duration::from_secs(5)));
        let same = before.clone().with_file(&file(&[("lookaheadChunks", "many"), ("title", "x")]));
        assert_eq!((same.look_ahead, same.window), (7, Some(Duration::from_secs(5))));
        let set = before.with_file(&file(&[
            ("LookAheadChunks", "1"),
            ("manifestWindowLength", "0"),
            ("restartOnEncoderReconnect", "True"),
        ]));
        assert_eq!((set.look_ahead, set.window), (1, None));
        assert!(set.restart_on_encoder_reconnect);
        let set = set.with_file(&file(&[("manifestWindowLength", "30")]));
        assert_eq!(set.window_length(), Some(Duration::from_secs(30)));
    }

    #[test]
    fn what_changes_nothing_is_named() {
        let unused = |metas| {
            let file = file(metas);
            PointOptions::unused_settings(&file).map(str::to_owned).collect::<Vec<_>>()
        };
        assert!(
            unused(&[("sourceType", "Push"), ("estimatedTime", "0"), ("module", "x")]).is_empty()
        );
        let names = unused(&[("sourceType", "Pull"), ("archivePath", "D:\\"), ("filters", "a")]);
        assert_eq!(names, ["sourceType", "archivePath", "filters"]);
    }
}
