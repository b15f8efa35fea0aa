//! Accounts of the tests: a root who acts, and users whose access keys are switched.

use std::fmt::Write as _;

use crate::sign::Pair;

/// What the users of an account may do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Users {
    /// Use and change keys.
    KeyUsers,
    Nobodies,
}

/// One seeded account.
#[derive(Clone, Debug)]
pub struct Account {
    number: usize,
    users: usize,
    may: Users,
}

impl Account {
    pub fn new(number: usize, users: usize, may: Users) -> Self {
        Self { number, users, may }
    }

    /// Who signs.
    pub fn root(&self) -> Pair {
        self.pair("root")
    }

    /// The access key that writer may switch on and off.
    pub fn user_pair(&self, user: usize) -> Pair {
        self.pair(&format!("user{user}"))
    }

    pub fn user_uin(&self, user: usize) -> u64 {
        self.uin() + 1 + user as u64
    }

    /// Huawei's project, which the paths carry.
    pub fn project_id(&self) -> String {
        format!("{:032x}", 0x9000_0000 + self.number)
    }

    pub fn uin(&self) -> u64 {
        200_000_000_000 + self.number as u64 * 100
    }

    fn pair(&self, name: &str) -> Pair {
        let tail = format!("trial{:04}{name}", self.number);
        Pair { id: format!("AKID{tail:x<32}"), secret: format!("{tail:S<32}") }
    }

    /// This account in a seed file.
    pub fn toml(&self) -> String {
        let (number, uin, root) = (self.number, self.uin(), self.root());
        let mut text = format!(
            "[[account]]\nuin = {uin}\napp_id = {app_id}\ndomain_id = \"{domain:032x}\"\ndomain_name = \"trial{number}\"\n\
             project_id = \"{project}\"\npassword = \"Trial-{number}-passw0rd\"\n\
             [[account.access_key]]\nid = \"{id}\"\nsecret = \"{secret}\"\nstatus = \"Active\"\n",
            app_id = 1_300_000_000 + number,
            domain = 0x8000_0000 + number,
            project = self.project_id(),
            id = root.id,
            secret = root.secret,
        );
        let policies = match self.may {
            Users::KeyUsers => "\"QcloudKMSFullAccess\"",
            Users::Nobodies => "",
        };
        for user in 0..self.users {
            let pair = self.user_pair(user);
            write!(
                text,
                "[[account.user]]\nname = \"user{user}\"\nuin = {uin}\nuser_id = \"{id:032x}\"\n\
                 password = \"User-{user}-passw0rd\"\npolicies = [{policies}]\n\
                 [[account.user.access_key]]\nid = \"{key}\"\nsecret = \"{secret}\"\n",
                uin = self.user_uin(user),
                id = 0x7000_0000 + number * 100 + user,
                key = pair.id,
                secret = pair.secret,
            )
            .expect("writing to a String cannot fail");
        }
        text
    }
}
