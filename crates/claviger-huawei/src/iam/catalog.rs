//! The services a token reaches, and where.

use claviger_api::Request;
use serde::Serialize;

use crate::iam::origin::address;
use crate::iam::project::Project;

/// A service.
#[derive(Debug, Serialize)]
pub(super) struct Service {
    endpoints: [Endpoint; 1],
    id: &'static str,
    name: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
}

/// An address of a service.
#[derive(Debug, Serialize)]
struct Endpoint {
    id: &'static str,
    interface: &'static str,
    region: String,
    region_id: String,
    url: String,
}

/// The services for a project; without one only those that are the same in every region. Their ids are ours, and fixed.
pub(super) fn services(request: &Request, project: Option<&Project>) -> Vec<Service> {
    let service = |kind, name, ids: [&'static str; 2], region: &str, path: &str| Service {
        endpoints: [Endpoint {
            id: ids[1],
            interface: "public",
            region: region.to_owned(),
            region_id: region.to_owned(),
            url: address(request, path),
        }],
        id: ids[0],
        name,
        kind,
    };
    let mut services = vec![
        service("iam", "iam", [IAM, IAM_ENDPOINT], "*", "/v3.0"),
        service("identity", "keystone", [KEYSTONE, KEYSTONE_ENDPOINT], "*", "/v3"),
    ];
    services.extend(project.map(|project| {
        service("kms", "kms", [KMS, KMS_ENDPOINT], &project.name, &format!("/v1.0/{}", project.id))
    }));
    services
}

const IAM: &str = "1f6c2d1e0d5a4a3c9c0b1a2d3e4f5061";
const IAM_ENDPOINT: &str = "1f6c2d1e0d5a4a3c9c0b1a2d3e4f5062";
const KEYSTONE: &str = "1f6c2d1e0d5a4a3c9c0b1a2d3e4f5063";
const KEYSTONE_ENDPOINT: &str = "1f6c2d1e0d5a4a3c9c0b1a2d3e4f5064";
const KMS: &str = "1f6c2d1e0d5a4a3c9c0b1a2d3e4f5065";
const KMS_ENDPOINT: &str = "1f6c2d1e0d5a4a3c9c0b1a2d3e4f5066";
