//! A cluster's state for people to read.

use std::fmt::Write as _;

use claviger_core::Moment;
use claviger_store_etcd::Status;

use super::lag;

/// Between two columns.
const GAP: &str = "  ";

/// Everything, and what needs attention at the end.
pub(super) fn text(status: &Status, attention: &[String]) -> String {
    let mut text = String::new();
    let name = status.name.as_deref().unwrap_or("without a name");
    // Writing to a text does not fail.
    let _ = writeln!(
        text,
        "cluster {name}: lease {} s, newest commit {}\n",
        status.lease.as_secs_f64(),
        status.head
    );
    text += &columns(nodes(status));
    text.push('\n');
    text += &columns(members(status));
    for what in attention {
        let _ = write!(text, "\n! {what}\n");
    }
    text
}

/// Milliseconds since the epoch, in RFC 3339 to the second.
pub(super) fn time(millis: u64) -> String {
    Moment::from_seconds(millis / 1000).timestamp().to_string()
}

fn nodes(status: &Status) -> Vec<Vec<String>> {
    let mut rows = vec![["NODE", "RELEASE", "SINCE", "LAG", "REGISTERED FOR"].map(str::to_owned).to_vec()];
    rows.extend(status.nodes.iter().map(|node| {
        let lag = lag(status.head, node.acknowledged, node.up_to_date);
        vec![
            node.name.clone(),
            node.release.clone(),
            time(node.since_ms),
            lag.map_or_else(|| "unknown".to_owned(), |lag| lag.to_string()),
            node.lease_seconds.map_or_else(|| "unknown".to_owned(), |seconds| format!("{seconds} s")),
        ]
    }));
    rows
}

fn members(status: &Status) -> Vec<Vec<String>> {
    let mut rows = vec![["ETCD", "VERSION", "SIZE", "IN USE", "LEADER"].map(str::to_owned).to_vec()];
    rows.extend(status.members.iter().map(|member| match &member.answer {
        Ok(answer) => vec![
            member.url.clone(),
            answer.version.clone(),
            size(answer.db_bytes.0),
            size(answer.db_bytes.1),
            if answer.leads { "yes" } else { "no" }.to_owned(),
        ],
        Err(error) => vec![member.url.clone(), format!("does not answer: {error}")],
    }));
    rows
}

fn size(bytes: u64) -> String {
    match bytes {
        0..0x10_0000 => format!("{} KiB", bytes.div_ceil(1 << 10)),
        _ => format!("{} MiB", bytes.div_ceil(1 << 20)),
    }
}

/// Rows with their cells under each other; a row's last cell takes what it needs.
fn columns(rows: Vec<Vec<String>>) -> String {
    let mut widths: Vec<usize> = Vec::new();
    for row in &rows {
        for (at, cell) in row.iter().enumerate().take(row.len().saturating_sub(1)) {
            if at >= widths.len() {
                widths.push(0);
            }
            if let Some(width) = widths.get_mut(at) {
                *width = (*width).max(cell.chars().count());
            }
        }
    }
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (at, cell) in row.iter().enumerate() {
            let width = widths.get(at).copied().unwrap_or_default();
            let _ = write!(line, "{cell:width$}{GAP}");
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}
