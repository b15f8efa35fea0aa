//! The figures as tables.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::load::Measured;
use super::workload::Workload;

/// Everything measured, by round.
pub struct Report {
    rounds: usize,
    seconds: f64,
    connections: usize,
    pub bare: BTreeMap<Workload, Vec<Measured>>,
    pub served: BTreeMap<Workload, Vec<Measured>>,
    pub fsync: Vec<Measured>,
    /// Size of the large store.
    pub keys: u32,
    pub encrypt_few: Vec<Measured>,
    pub encrypt_many: Vec<Measured>,
    /// Seconds from the start of the process to `/readyz`.
    pub start_few: Vec<f64>,
    pub start_many: Vec<f64>,
    /// What was held at most, in bytes, at which point.
    pub memory: Vec<(String, u64)>,
}

impl Report {
    pub fn new(rounds: usize, seconds: f64, connections: usize) -> Self {
        Self {
            rounds,
            seconds,
            connections,
            bare: BTreeMap::new(),
            served: BTreeMap::new(),
            fsync: Vec::new(),
            keys: 0,
            encrypt_few: Vec::new(),
            encrypt_many: Vec::new(),
            start_few: Vec::new(),
            start_many: Vec::new(),
            memory: Vec::new(),
        }
    }

    /// All tables. Ratios are medians of the rounds' own ratios.
    pub fn markdown(&self) -> String {
        let mut text = format!(
            "{} interleaved rounds of {} s, {} connections; medians. The load generator shares the cores.\n\n",
            self.rounds, self.seconds, self.connections
        );
        self.data_plane(&mut text).expect("writing to a String cannot fail");
        self.durable(&mut text).expect("writing to a String cannot fail");
        self.size(&mut text).expect("writing to a String cannot fail");
        text
    }

    fn data_plane(&self, text: &mut String) -> std::fmt::Result {
        writeln!(text, "| signed request | /s | p50 | p99 | bare echo /s | p50 | p99 | ratio |")?;
        writeln!(text, "|---|---|---|---|---|---|---|---|")?;
        for (workload, bare) in &self.bare {
            let served = self.served.get(workload).map(Vec::as_slice).unwrap_or_default();
            let (title, here, there) = (workload.title(), figures(served), figures(bare));
            writeln!(text, "| {title} | {here} | {there} | {:.0} % |", 100.0 * ratio(served, bare))?;
        }
        writeln!(text)
    }

    fn durable(&self, text: &mut String) -> std::fmt::Result {
        writeln!(text, "| durable write | /s | p50 | p99 | against one fsync loop |")?;
        writeln!(text, "|---|---|---|---|---|")?;
        for workload in [Workload::Bind, Workload::Tag] {
            let served = self.served.get(&workload).map(Vec::as_slice).unwrap_or_default();
            let times = ratio(served, &self.fsync);
            writeln!(text, "| {} | {} | {times:.1} × |", workload.title(), figures(served))?;
        }
        writeln!(text, "| append 512 B + fdatasync, one thread | {} | 1 × |\n", figures(&self.fsync))
    }

    fn size(&self, text: &mut String) -> std::fmt::Result {
        writeln!(text, "| keys in the store | start to ready | Tencent Encrypt /s | p50 | p99 | ratio |")?;
        writeln!(text, "|---|---|---|---|---|---|")?;
        let rows =
            [(10, &self.start_few, &self.encrypt_few), (self.keys, &self.start_many, &self.encrypt_many)];
        for (keys, start, encrypt) in rows {
            let start = 1000.0 * median(start.clone());
            let share = 100.0 * ratio(encrypt, &self.encrypt_few);
            writeln!(text, "| {keys} | {start:.0} ms | {} | {share:.0} % |", figures(encrypt))?;
        }
        writeln!(text, "\n| peak memory | |\n|---|---|")?;
        for (when, bytes) in &self.memory {
            writeln!(text, "| {when} | {} MiB |", bytes / (1024 * 1024))?;
        }
        Ok(())
    }
}

/// Rate, p50 and p99 as three cells.
pub fn figures(rounds: &[Measured]) -> String {
    let middle = |pick: fn(&Measured) -> f64| median(rounds.iter().map(pick).collect());
    let per_second = middle(|round| round.per_second);
    let (p50, p99) = (middle(|round| round.p50_micros.into()), middle(|round| round.p99_micros.into()));
    format!("{per_second:.0} | {} | {}", time(p50), time(p99))
}

pub fn time(micros: f64) -> String {
    if micros < 1000.0 { format!("{micros:.0} µs") } else { format!("{:.1} ms", micros / 1000.0) }
}

/// The median of the rounds' ratios.
pub fn ratio(over: &[Measured], under: &[Measured]) -> f64 {
    median(over.iter().zip(under).map(|(a, b)| a.per_second / b.per_second).collect())
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match (values.get(middle), values.len() % 2) {
        (None, _) => 0.0,
        (Some(value), 1) => *value,
        (Some(value), _) => f64::midpoint(*value, values.get(middle - 1).copied().unwrap_or(*value)),
    }
}

#[cfg(test)]
mod tests {
    use super::{Measured, median, ratio, time};

    #[test]
    fn medians() {
        for (values, expected) in [(vec![], 0.0), (vec![3.0, 1.0, 2.0], 2.0), (vec![4.0, 1.0], 2.5)] {
            assert!((median(values) - expected).abs() < f64::EPSILON);
        }
    }

    #[test]
    fn ratios_are_taken_round_by_round() {
        let round = |per_second| Measured { per_second, ..Measured::default() };
        let over = [round(50.0), round(90.0), round(10.0)];
        let under = [round(100.0), round(100.0), round(100.0)];
        assert!((ratio(&over, &under) - 0.5).abs() < f64::EPSILON);
    }

    #[test]
    fn times() {
        assert_eq!((time(12.3).as_str(), time(12_345.0).as_str()), ("12 µs", "12.3 ms"));
    }
}
