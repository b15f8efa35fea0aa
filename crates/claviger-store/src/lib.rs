//! claviger-store
