//! Files that somebody changes while the server runs: certificates and keys, as a Secret's volume has them. What cannot be read
//! any more does not replace what could.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tracing::{info, warn};

/// The kubelet takes a minute or so to bring a changed Secret; looking more often finds nothing.
const PAUSE: Duration = Duration::from_secs(10);

/// What was read, and the bytes that it was read from.
pub struct Read<T> {
    /// Equal bytes mean that nothing has changed.
    pub bytes: Vec<u8>,
    /// What they mean.
    pub value: T,
}

/// The value of now, and of later.
pub type Current<T> = watch::Receiver<Arc<T>>;

/// Reads now, and again from time to time. The error is that of the first time. Must be called within a runtime.
pub fn follow<T: Send + Sync + 'static>(
    what: &'static str,
    read: impl Fn() -> Result<Read<T>, String> + Send + Sync + 'static,
) -> Result<Current<T>, String> {
    follow_every(PAUSE, what, read)
}

fn follow_every<T: Send + Sync + 'static>(
    pause: Duration,
    what: &'static str,
    read: impl Fn() -> Result<Read<T>, String> + Send + Sync + 'static,
) -> Result<Current<T>, String> {
    let Read { mut bytes, value } = read()?;
    let (sender, receiver) = watch::channel(Arc::new(value));
    tokio::spawn(async move {
        let mut failing = false;
        loop {
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = sender.closed() => return,
            }
            match read() {
                Ok(now) if now.bytes == bytes => failing = false,
                Ok(now) => {
                    info!("{what}: changed");
                    bytes = now.bytes;
                    failing = false;
                    sender.send_replace(Arc::new(now.value));
                }
                Err(error) => {
                    if !failing {
                        warn!(error, "{what}: cannot be read any more; what was read before stays in use");
                    }
                    failing = true;
                }
            }
        }
    });
    Ok(receiver)
}

/// Reads a file; the error names it.
pub fn file(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    type Content = Arc<Mutex<Result<u8, String>>>;

    fn start() -> (Content, Current<u8>) {
        let content: Content = Arc::new(Mutex::new(Ok(1)));
        let read = content.clone();
        let read = move || read.lock().unwrap().clone().map(|value| Read { bytes: vec![value], value });
        (content, follow_every(Duration::from_millis(1), "a number", read).unwrap())
    }

    #[tokio::test]
    async fn a_change_is_seen() {
        let (content, mut current) = start();
        assert_eq!(**current.borrow(), 1);
        *content.lock().unwrap() = Ok(2);
        current.changed().await.unwrap();
        assert_eq!(**current.borrow(), 2);
    }

    #[tokio::test]
    async fn what_cannot_be_read_replaces_nothing() {
        let (content, mut current) = start();
        *content.lock().unwrap() = Err("gone".to_owned());
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(**current.borrow_and_update(), 1);
        *content.lock().unwrap() = Ok(3);
        current.changed().await.unwrap();
        assert_eq!(**current.borrow(), 3);
    }

    #[tokio::test]
    async fn what_cannot_be_read_at_first_is_an_error() {
        let refused = follow("a number", || Err::<Read<u8>, _>("no such file".to_owned()));
        assert_eq!(refused.unwrap_err(), "no such file");
    }
}
