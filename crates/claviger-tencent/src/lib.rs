//! claviger-tencent
