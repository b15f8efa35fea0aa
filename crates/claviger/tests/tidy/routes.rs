//! How the rows of the tables of routes look.

use claviger_api::Route;

/// What the rules look at of a route.
pub(crate) struct Row {
    service: &'static str,
    name: &'static str,
    rate: u32,
    reference: &'static str,
}

impl Row {
    /// Of a route.
    pub(crate) fn of(route: &Route) -> Self {
        let action = &route.action;
        Self { service: action.service, name: action.name, rate: action.rate, reference: action.reference }
    }
}

/// The rows without a reference or a rate, and, where the order counts, those that stand before a row that they ought to follow.
pub(crate) fn odd_rows(rows: &[Row], ordered: bool) -> Vec<String> {
    let mut broken = Vec::new();
    for row in rows {
        let name = format!("{}.{}", row.service, row.name);
        if !row.reference.starts_with("https://") {
            broken.push(format!("{name}: its reference is `{}`", row.reference));
        }
        if row.rate == 0 {
            broken.push(format!("{name}: its rate is 0"));
        }
    }
    for pair in rows.windows(2).filter(|_| ordered) {
        if let [first, second] = pair
            && first.service == second.service
            && first.name >= second.name
        {
            broken.push(format!("{}.{}: it belongs before {}", second.service, second.name, first.name));
        }
    }
    broken
}

#[test]
fn an_odd_row_is_caught() {
    let row = |service, name, rate, reference| Row { service, name, rate, reference };
    let good = |service, name| row(service, name, 1, "https://example.com");
    for (rows, caught) in [
        (vec![good("kms", "A"), good("kms", "B"), good("iam", "A")], 0),
        (vec![good("kms", "B"), good("kms", "A")], 1),
        (vec![good("kms", "A"), good("kms", "A")], 1),
        (vec![row("kms", "A", 0, "https://example.com")], 1),
        (vec![row("kms", "A", 0, "")], 2),
    ] {
        assert_eq!(odd_rows(&rows, true).len(), caught);
    }
    assert_eq!(odd_rows(&[good("kms", "B"), good("kms", "A")], false).len(), 0);
}
