//! How far a server has come: what its connections are told, and when.

use tokio::sync::watch;

/// How far a server has come; it never goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// It serves.
    Serving,
    /// It still serves all that comes, but says that it will not for long: not ready, and every answer ends its connection.
    Leaving,
    /// It takes no new connections, and ends those that it has.
    Stopping,
}

/// Waits until the server has come so far.
pub(crate) async fn reached(phase: &mut watch::Receiver<Phase>, wanted: Phase) {
    // The sender lives as long as the process: an error would mean that it is gone, which is a stop too.
    let _ = phase.wait_for(|&phase| phase >= wanted).await;
}
