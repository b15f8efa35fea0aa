//! A bar on standard error for what takes long; nothing where that is not a terminal.

use indicatif::{ProgressBar, ProgressStyle};

/// How far something has come. The bar goes when this does.
pub struct Progress(ProgressBar);

impl Progress {
    /// Of `total` things with a name in the plural.
    pub fn of(total: u64, things: &'static str) -> Self {
        Self::with(
            ProgressBar::new(total),
            &format!("{{wide_bar}} {{human_pos}}/{{human_len}} {things}, {{eta}} left"),
        )
    }

    /// Of a number of bytes.
    pub fn of_bytes(total: u64) -> Self {
        Self::with(ProgressBar::new(total), "{wide_bar} {bytes}/{total_bytes}, {eta} left")
    }

    /// Of an unknown number of things.
    pub fn counting(things: &'static str) -> Self {
        Self::with(ProgressBar::new_spinner(), &format!("{{spinner}} {{human_pos}} {things}"))
    }

    /// None to show.
    pub fn none() -> Self {
        Self(ProgressBar::hidden())
    }

    /// So much more.
    pub fn add(&self, more: u64) {
        self.0.inc(more);
    }

    /// So much in all.
    pub fn set(&self, position: u64) {
        self.0.set_position(position);
    }

    fn with(bar: ProgressBar, template: &str) -> Self {
        let style = ProgressStyle::with_template(template).expect("the templates above are well-formed");
        Self(bar.with_style(style))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
