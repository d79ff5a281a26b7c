//! Writes the access log in a thread of its own: a disk that is slow or full holds up no request.

use std::io::{self, Write, stdout};
use std::mem;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use common::Failure;
use common::log::{self, Level, LogFile, log};

/// Bytes of lines that may wait: about 30,000 lines.
const ROOM: usize = 8 << 20;

/// Time for which lines are gathered, so that most requests wake no thread.
const GATHERED: Duration = Duration::from_millis(100);

/// Shortest time between two lines of the log about lines that were dropped.
const REPORTED_EACH: Duration = Duration::from_secs(5);

/// Time for the last lines to be written when the server stops.
const END_TIME: Duration = Duration::from_secs(2);

/// Takes lines for the access log.
pub(super) struct Lines(Arc<Queue>);

/// The thread that writes.
pub(super) struct Writer {
    queue: Arc<Queue>,
    thread: JoinHandle<()>,
}

#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
    /// Number of lines that were not written.
    dropped: AtomicU64,
}

#[derive(Default)]
struct Waiting {
    bytes: Vec<u8>,
    is_ended: bool,
}

/// The place of the lines.
enum Place {
    Stdout,
    File(Arc<LogFile>),
}

/// Opens the access log: a file, or stdout for `-`.
///
/// # Errors
/// The file cannot be opened.
pub(super) fn open(path: &Path) -> Result<(Lines, Writer), Failure> {
    let cannot = |error: io::Error| log::cannot_write(WORD, path, &error);
    let place = match is_stdout(path) {
        true => Place::Stdout,
        false => Place::File(LogFile::open(path).map_err(cannot)?),
    };
    let queue = Arc::new(Queue::default());
    let queue_of_thread = Arc::clone(&queue);
    let thread = thread::Builder::new()
        .name("access-log".into())
        .spawn(move || write_all(&queue_of_thread, &place))
        .map_err(cannot)?;
    Ok((Lines(Arc::clone(&queue)), Writer { queue, thread }))
}

/// Fails if [`open`] would. Makes no file.
pub(super) fn check(path: &Path) -> Result<(), Failure> {
    match is_stdout(path) {
        true => Ok(()),
        false => log::check_file(path, WORD),
    }
}

/// The file, as sentences call it.
const WORD: &str = "access log";

fn is_stdout(path: &Path) -> bool {
    path.as_os_str() == "-"
}

impl Lines {
    /// Adds a line, or drops it if too many wait.
    pub(super) fn add(&self, line: &[u8]) {
        let mut waiting = self.0.lock();
        if waiting.bytes.len() + line.len() > ROOM {
            self.0.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let is_first = waiting.bytes.is_empty();
        waiting.bytes.extend_from_slice(line);
        drop(waiting);
        if is_first {
            self.0.changed.notify_one();
        }
    }

    /// Returns the number of lines that were dropped.
    pub(super) fn dropped(&self) -> u64 {
        self.0.dropped.load(Ordering::Relaxed)
    }
}

impl Writer {
    /// Writes what still waits, as far as the disk takes it in a moment.
    pub(super) fn end(self) {
        self.queue.lock().is_ended = true;
        self.queue.changed.notify_one();
        let began = Instant::now();
        while !self.thread.is_finished() {
            if began.elapsed() > END_TIME {
                return log(Level::Error, "the end of the access log could not be written");
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for lines and takes them; `true` if no more will come.
    fn take(&self, lines: &mut Vec<u8>) -> bool {
        let is_idle = |waiting: &mut Waiting| waiting.bytes.is_empty() && !waiting.is_ended;
        let waiting = self.changed.wait_while(self.lock(), is_idle);
        let waiting = waiting.unwrap_or_else(PoisonError::into_inner);
        // Lines are gathered meanwhile.
        let more = self.changed.wait_timeout_while(waiting, GATHERED, |waiting| !waiting.is_ended);
        let (mut waiting, _) = more.unwrap_or_else(PoisonError::into_inner);
        mem::swap(lines, &mut waiting.bytes);
        waiting.is_ended
    }
}

impl Place {
    fn write(&self, lines: &[u8]) -> io::Result<()> {
        match self {
            Self::Stdout => {
                let mut stdout = stdout().lock();
                stdout.write_all(lines).and_then(|()| stdout.flush())
            }
            Self::File(file) => file.write(lines),
        }
    }
}

fn write_all(queue: &Queue, place: &Place) {
    let mut lines = Vec::new();
    let mut reported = (0, None::<Instant>);
    loop {
        let is_ended = queue.take(&mut lines);
        let error = place.write(&lines).err();
        if error.is_some() {
            let lost = lines.iter().filter(|&&byte| byte == b'\n').count();
            queue.dropped.fetch_add(lost as u64, Ordering::Relaxed);
        }
        lines.clear();
        let dropped = queue.dropped.load(Ordering::Relaxed);
        let (before, at) = reported;
        if dropped > before && (is_ended || at.is_none_or(|at| at.elapsed() >= REPORTED_EACH)) {
            let why = error.map_or("they came too fast".into(), |error| error.to_string());
            let count = dropped - before;
            let what = "lines of the access log that were dropped";
            log(Level::Error, format_args!("{what}: {count}: {why}"));
            reported = (dropped, Some(Instant::now()));
        }
        if is_ended {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_beyond_the_room_are_counted_and_not_kept() {
        let lines = Lines(Arc::default());
        let line = vec![b'x'; ROOM / 4];
        for _ in 0..6 {
            lines.add(&line);
        }
        assert_eq!(lines.0.lock().bytes.len(), ROOM);
        assert_eq!(lines.dropped(), 2);
        let mut taken = Vec::new();
        assert!(!lines.0.take(&mut taken));
        assert_eq!(taken.len(), ROOM);
        lines.add(b"y");
        assert_eq!((lines.0.lock().bytes.len(), lines.dropped()), (1, 2));
    }
}
