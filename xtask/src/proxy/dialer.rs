//! Which process dialled: the client's port leads to a socket's inode, and that to whoever holds it open.

use std::fs;
use std::net::SocketAddr;
use std::sync::Mutex;

use super::Source;

/// The processes that may dial, by number.
#[derive(Debug)]
pub struct Dialers(Mutex<Vec<Option<u32>>>);

impl Dialers {
    pub fn new(count: usize) -> Self {
        Self(Mutex::new(vec![None; count]))
    }

    /// That number is this process from now on.
    pub fn set(&self, source: Source, process: u32) {
        self.0.lock().expect("nobody panics holding it")[source] = Some(process);
    }

    /// Who of them holds the socket that is bound to `from` and connected to `to`.
    pub fn find(&self, from: SocketAddr, to: SocketAddr) -> Option<Source> {
        let table = fs::read_to_string("/proc/net/tcp").ok()?;
        let link = format!("socket:[{}]", inode(&table, from, to)?);
        let processes = self.0.lock().expect("nobody panics holding it").clone();
        processes.iter().position(|process| process.is_some_and(|process| holds(process, &link)))
    }
}

fn holds(process: u32, link: &str) -> bool {
    let files = fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten();
    files.filter_map(|file| fs::read_link(file.path()).ok()).any(|to| to.as_os_str() == link)
}

/// The inode of a socket in the kernel's table, whose rows begin `sl local remote state` and have the inode as the tenth
/// word: `proc_pid_net(5)`.
fn inode(table: &str, from: SocketAddr, to: SocketAddr) -> Option<&str> {
    let (from, to) = (spelled(from)?, spelled(to)?);
    table.lines().find_map(|line| {
        let mut words = line.split_whitespace().skip(1);
        (words.next()? == from && words.next()? == to).then(|| words.nth(6)).flatten()
    })
}

/// An address as the table has it: the four bytes as one number of this machine's order, and the port, in hexadecimal.
fn spelled(address: SocketAddr) -> Option<String> {
    let SocketAddr::V4(address) = address else { return None };
    let number = u32::from_ne_bytes(address.ip().octets());
    Some(format!("{number:08X}:{:04X}", address.port()))
}

#[cfg(test)]
mod tests {
    use super::inode;

    #[test]
    fn a_row_of_the_table() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
             0: 0100007F:094B 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1 0\n\
             1: 0100007F:C0DE 0100007F:094B 01 00000000:00000000 00:00000000 00000000  1000        0 222 1 0\n";
        let address = |port| std::net::SocketAddr::from(([127, 0, 0, 1], port));
        assert_eq!(inode(table, address(0xC0DE), address(0x094B)), Some("222"));
        assert_eq!(inode(table, address(0x094B), address(0xC0DE)), None);
    }
}
