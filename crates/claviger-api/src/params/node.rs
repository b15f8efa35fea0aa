//! Parameters as a tree, whatever they were written in.

use std::collections::{BTreeMap, BTreeSet};

/// A parameter, whatever it was written in.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Bool(bool),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
    Null,
    Number(serde_json::Number),
    Text(String),
}

impl Node {
    pub(super) fn from_json(value: serde_json::Value, depth: usize) -> Option<Self> {
        use serde_json::Value;
        let deeper = depth.checked_sub(1)?;
        Some(match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(value),
            Value::Number(value) => Self::Number(value),
            Value::String(value) => Self::Text(value),
            Value::Array(values) => Self::List(
                values.into_iter().map(|value| Self::from_json(value, deeper)).collect::<Option<_>>()?,
            ),
            Value::Object(members) => Self::Map(
                members
                    .into_iter()
                    // A null is an absent parameter on every wire.
                    .filter(|(_, value)| !value.is_null())
                    .map(|(name, value)| Some((name, Self::from_json(value, deeper)?)))
                    .collect::<Option<_>>()?,
            ),
        })
    }
}

/// Flattened parameters on their way to a [`Node`].
#[derive(Default)]
pub(super) struct Tree {
    leaf: Option<String>,
    members: BTreeMap<String, Tree>,
}

impl Tree {
    /// Places a value; says whether its name fits the names before.
    pub(super) fn place<'a>(&mut self, path: &mut impl Iterator<Item = &'a str>, value: &str) -> bool {
        match path.next() {
            None => {
                let fits = self.members.is_empty() && self.leaf.is_none();
                self.leaf = Some(value.to_owned());
                fits
            }
            Some("") => false,
            Some(name) => {
                self.leaf.is_none() && self.members.entry(name.to_owned()).or_default().place(path, value)
            }
        }
    }

    pub(super) fn into_members(self) -> Vec<(String, Node)> {
        self.members.into_iter().map(|(name, tree)| (name, tree.into_node())).collect()
    }

    fn into_node(self) -> Node {
        if let Some(leaf) = self.leaf {
            return Node::Text(leaf);
        }
        // Only `7`, not `07` or `+7`: two spellings of one number would be one place.
        let number = |name: &String| name.parse::<u32>().ok().filter(|number| number.to_string() == *name);
        let numbers: Option<BTreeSet<u32>> = self.members.keys().map(number).collect();
        let Some(numbers) = numbers else { return Node::Map(self.into_members()) };
        let mut members = self.members;
        Node::List(
            numbers
                .iter()
                .filter_map(|number| members.remove(&number.to_string()))
                .map(Tree::into_node)
                .collect(),
        )
    }
}
