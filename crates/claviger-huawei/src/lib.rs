//! claviger-huawei
