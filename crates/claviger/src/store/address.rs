//! Where an etcd cluster is, as people write it: checked before anything is asked.

use std::collections::HashSet;

use claviger_store_etcd::Options;
use hyper::Uri;

/// How the members are spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// `http://`, to members on this machine only.
    LocalPlain,
    /// `http://`
    Plain,
    /// `https://`
    Tls,
}

/// Whether these are client URLs of the members of one etcd cluster, as far as one can see.
///
/// # Errors
/// A sentence that says what to write.
pub fn check_endpoints(endpoints: &[String]) -> Result<Transport, String> {
    let mut seen = HashSet::new();
    let mut transports = Vec::new();
    for endpoint in endpoints {
        transports.push(transport(endpoint)?);
        if !seen.insert(endpoint.trim_end_matches('/')) {
            return Err(format!("`{endpoint}` is there twice; name each member of etcd once"));
        }
    }
    let tls = transports.iter().filter(|transport| **transport == Transport::Tls).count();
    if tls != 0 && tls != transports.len() {
        return Err("some endpoints begin with http:// and others with https://; all must be alike".into());
    }
    if tls != 0 {
        return Ok(Transport::Tls);
    }
    let local = transports.iter().all(|transport| *transport == Transport::LocalPlain);
    match (transports.is_empty(), local) {
        (true, _) => {
            Err("no endpoint is named; name etcd's client URLs, such as http://127.0.0.1:2379".into())
        }
        (false, true) => Ok(Transport::LocalPlain),
        (false, false) => Ok(Transport::Plain),
    }
}

fn transport(endpoint: &str) -> Result<Transport, String> {
    let wrong = |what: &str| format!("`{endpoint}` {what}; write it as http://10.0.0.1:2379");
    let uri: Uri = endpoint.parse().map_err(|_| wrong("is not a URL"))?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(wrong("has no http:// or https:// in front"));
    };
    if scheme != "http" && scheme != "https" {
        return Err(wrong("does not begin with http:// or https://"));
    }
    if authority.as_str().contains('@') {
        return Err(format!("`{}` names a user; that is for `user` and `password_file`", authority.host()));
    }
    if authority.port_u16().is_none() {
        return Err(wrong("names no port, and etcd's is not the web's"));
    }
    if uri.path() != "/" || uri.query().is_some() {
        return Err(wrong("goes on behind the port"));
    }
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    let local = host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
    Ok(match (scheme, local) {
        ("https", _) => Transport::Tls,
        (_, true) => Transport::LocalPlain,
        (_, false) => Transport::Plain,
    })
}

/// Whether all our keys can begin with this, and nobody else's by accident.
///
/// # Errors
/// A sentence that says what to write.
pub fn check_prefix(prefix: &str) -> Result<(), String> {
    let most = Options::PREFIX_BYTES_MAX;
    if prefix.len() > most {
        return Err(format!("the prefix is longer than {most} bytes"));
    }
    // Without the end `kms` would contain all that `kms-test` has.
    if !prefix.ends_with('/') || prefix == "/" {
        return Err(format!("the prefix `{prefix}` must be a name that ends with /, such as `claviger/`"));
    }
    if !prefix.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("the prefix may have letters, digits and signs of ASCII only, and no spaces".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(endpoints: &[&str]) -> Result<Transport, String> {
        check_endpoints(&endpoints.iter().map(|&endpoint| endpoint.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn good_endpoints() {
        for (endpoints, transport) in [
            (&["http://127.0.0.1:2379"][..], Transport::LocalPlain),
            (&["http://localhost:1/", "http://[::1]:2"], Transport::LocalPlain),
            (&["http://127.0.0.1:2379", "http://10.0.0.1:2379"], Transport::Plain),
            (&["https://etcd-1:2379", "https://127.0.0.1:2379"], Transport::Tls),
        ] {
            assert_eq!(checked(endpoints), Ok(transport), "{endpoints:?}");
        }
    }

    #[test]
    fn endpoints_that_are_none_are_explained() {
        for (endpoints, expected) in [
            (&[][..], "no endpoint is named"),
            (&["127.0.0.1:2379"], "has no http:// or https:// in front"),
            (&["etcd-1"], "has no http:// or https:// in front"),
            (&["tcp://etcd-1:2379"], "does not begin with http://"),
            (&["http://etcd-1"], "names no port"),
            (&["http://etcd 1:2379"], "is not a URL"),
            (&[""], "is not a URL"),
            (&["http://root:pw@etcd-1:2379"], "`etcd-1` names a user"),
            (&["http://etcd-1:2379/v3"], "goes on behind the port"),
            (&["http://etcd-1:2379?a"], "goes on behind the port"),
            (&["http://etcd-1:2379", "http://etcd-1:2379/"], "is there twice"),
            (&["http://etcd-1:2379", "https://etcd-2:2379"], "all must be alike"),
        ] {
            let error = checked(endpoints).expect_err(expected);
            assert!(error.contains(expected), "{endpoints:?}: {error}");
            assert!(!error.contains("pw"), "{error}");
        }
    }

    #[test]
    fn prefixes() {
        let long = "x".repeat(Options::PREFIX_BYTES_MAX) + "/";
        for (prefix, good) in [
            ("claviger/", true),
            ("a/b/", true),
            (Options::PREFIX, true),
            ("claviger", false),
            ("/", false),
            ("", false),
            ("a b/", false),
            ("ä/", false),
            (long.as_str(), false),
            (&long[1..], true),
        ] {
            assert_eq!(check_prefix(prefix).is_ok(), good, "{prefix}");
        }
    }
}
