//! What `dev` prints at each start: where it is, who one is, and lines to paste.

use std::fmt;
use std::path::Path;

use crate::credentials::{Credentials, shown};

/// Where the secrets are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrets {
    /// In the file only.
    InFile,
    /// Nowhere any more.
    Lost,
    /// Made just now: shown this once, and in the file.
    New,
}

/// The text.
pub struct Greeting<'a> {
    /// Of whom.
    pub credentials: &'a Credentials,
    /// The file with the credentials; an absolute path.
    pub file: &'a Path,
    /// Where the secrets are.
    pub secrets: Secrets,
}

impl fmt::Display for Greeting<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Credentials {
            endpoint, uin, app_id, domain_id, domain_name, project_id, region, user_id, ..
        } = self.credentials;
        writeln!(f, "Claviger {} serves {endpoint}\n", env!("CARGO_PKG_VERSION"))?;
        writeln!(f, "  account   uin {uin}, app_id {app_id}")?;
        writeln!(f, "            domain_id {domain_id}, domain_name {domain_name}")?;
        writeln!(f, "  project   {project_id}   region {region} (any other name does, too)")?;
        writeln!(f, "  user      {domain_name} (root), user_id {user_id}")?;
        match self.secrets {
            Secrets::Lost => return Ok(()),
            Secrets::InFile => writeln!(f, "  secrets   in {}\n", self.file.display())?,
            Secrets::New => self.secrets(f)?,
        }
        self.tccli(f)?;
        self.tencent_python(f)?;
        self.huawei_python(f)
    }
}

impl Greeting<'_> {
    fn secrets(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Credentials { first, second, password, .. } = self.credentials;
        let shown = |secret| shown(secret).map_err(|_| fmt::Error);
        writeln!(f, "  password  {}", shown(password)?)?;
        writeln!(f, "  keys      secret_id {}, secret_key {}", first.id, shown(&first.secret)?)?;
        writeln!(f, "            access_key {}, secret_access_key {}", second.id, shown(&second.secret)?)?;
        writeln!(f, "\nShown this once; from now on in {}\n", self.file.display())
    }

    /// The path as a literal of Python.
    fn path(&self) -> String {
        serde_json::Value::from(self.file.to_string_lossy()).to_string()
    }

    fn tccli(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Credentials { endpoint, region, first, .. } = self.credentials;
        writeln!(f, "# tccli (pip install tccli)")?;
        if self.secrets == Secrets::New {
            let secret = shown(&first.secret).map_err(|_| fmt::Error)?;
            writeln!(f, "export TENCENTCLOUD_SECRET_ID={}", first.id)?;
            writeln!(f, "export TENCENTCLOUD_SECRET_KEY={secret}")?;
        } else {
            let path = self.path();
            writeln!(f, "read -r TENCENTCLOUD_SECRET_ID TENCENTCLOUD_SECRET_KEY <<< \"$(python3 - <<'END'")?;
            writeln!(f, "import json; c = json.load(open({path})); print(c['secret_id'], c['secret_key'])")?;
            writeln!(f, "END\n)\"; export TENCENTCLOUD_SECRET_ID TENCENTCLOUD_SECRET_KEY")?;
        }
        writeln!(f, "export TENCENTCLOUD_REGION={region}")?;
        let action = if self.secrets == Secrets::New { "CreateKey --Alias hello-tccli" } else { "ListKeys" };
        writeln!(f, "tccli kms {action} --endpoint {endpoint}\n")
    }

    fn tencent_python(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.credentials.endpoint.trim_start_matches("http://");
        writeln!(f, "# Tencent Python SDK (pip install tencentcloud-sdk-python)")?;
        writeln!(f, "import json")?;
        writeln!(f, "from tencentcloud.common.credential import Credential")?;
        writeln!(f, "from tencentcloud.common.profile.client_profile import ClientProfile")?;
        writeln!(f, "from tencentcloud.common.profile.http_profile import HttpProfile")?;
        writeln!(f, "from tencentcloud.kms.v20190118 import kms_client, models")?;
        writeln!(f, "c = json.load(open({}))", self.path())?;
        writeln!(f, "profile = ClientProfile(httpProfile=HttpProfile(protocol='http', endpoint='{host}'))")?;
        writeln!(f, "signer = Credential(c['secret_id'], c['secret_key'])")?;
        writeln!(f, "kms = kms_client.KmsClient(signer, c['region'], profile)")?;
        writeln!(f, "print(kms.ListKeys(models.ListKeysRequest()))\n")
    }

    fn huawei_python(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# Huawei Python SDK (pip install huaweicloudsdkkms)")?;
        writeln!(f, "import json")?;
        writeln!(f, "from huaweicloudsdkcore.auth.credentials import BasicCredentials")?;
        writeln!(f, "from huaweicloudsdkkms.v2 import KmsClient, ListKeysRequest, ListKeysRequestBody")?;
        writeln!(f, "c = json.load(open({}))", self.path())?;
        writeln!(f, "signer = BasicCredentials(c['access_key'], c['secret_access_key'], c['project_id'])")?;
        writeln!(
            f,
            "kms = KmsClient.new_builder().with_credentials(signer).with_endpoints([c['endpoint']]).build()"
        )?;
        writeln!(f, "print(kms.list_keys(ListKeysRequest(body=ListKeysRequestBody())))")
    }
}
