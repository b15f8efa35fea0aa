//! claviger-core
