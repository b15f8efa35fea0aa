//! Reading a page of a list: `limit` and `marker`.

use claviger_core::Fault;

/// Most keys on a page. More may be asked for and are then given on further pages.
pub(super) const MOST: usize = 1000;

/// A `limit`; absent or empty: the most there is.
pub(super) fn limit(text: Option<&str>) -> Result<usize, Fault> {
    match text {
        None | Some("") => Ok(MOST),
        Some(text) => match text.parse::<u64>() {
            Ok(0) | Err(_) => Err(Fault::value("limit")),
            Ok(limit) => Ok(usize::try_from(limit).unwrap_or(MOST).min(MOST)),
        },
    }
}

/// A `marker`: how many entries are on the pages before; absent or empty: none.
pub(super) fn marker(text: Option<&str>) -> Result<usize, Fault> {
    match text {
        None | Some("") => Ok(0),
        Some(text) => text.parse::<u32>().map(|marker| marker as usize).map_err(|_| Fault::value("marker")),
    }
}
