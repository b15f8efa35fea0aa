//! The life of a request, for every dialect and action alike.

use std::borrow::Cow;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;
use std::time::Instant;

use claviger_core::audit::Event;
use claviger_core::{Cx, Fault};

use crate::action::{Access, Effect};
use crate::app::{App, Mounted};
use crate::dialect::{Admitted, Answer, Dialect, Target};
use crate::incoming::{Incoming, Request};
use crate::reply::Reply;
use crate::sources::network;

/// How often a request is run again because another writer was first.
const RETRIES: u32 = 3;

/// Serves one request: find its dialect and route, then see it through. What writes goes on if the client hangs up.
pub async fn serve(app: Arc<App>, incoming: Incoming) -> Answer {
    let started = Instant::now();
    let Some(dialect) = app.dialect_of(&incoming) else { return App::nobodys() };
    let target = match dialect.route(&incoming) {
        Ok(target) => target,
        Err(fault) => return refuse(&app, &*dialect, &incoming, &fault).await,
    };
    let writes = target.route.action.effect == Effect::Writes;
    let life = Life { app, dialect, target, started }.see_through(incoming);
    if !writes {
        return life.await;
    }
    match tokio::spawn(life).await {
        Ok(answer) => answer,
        Err(error) => {
            tracing::error!(%error, "a request did not come to its end");
            App::failed()
        }
    }
}

struct Life {
    app: Arc<App>,
    dialect: Arc<dyn Dialect>,
    target: Target,
    started: Instant,
}

impl Life {
    /// Authenticate, limit, run, audit, answer.
    async fn see_through(mut self, incoming: Incoming) -> Answer {
        let captured = std::mem::take(&mut self.target.captured);
        let request = Request { incoming, captured };
        let mounted = self.app.mounted(&*self.dialect, self.target.route);
        let admitted = match self.admit(mounted, &request).await {
            Ok(admitted) => admitted,
            Err(fault) => return self.finish(mounted, &request, None, Err(fault)).await,
        };
        let permission = self.target.route.action.permission;
        let source = request.incoming.source;
        let cx = Cx::new(&self.app.authority, admitted.caller, permission, admitted.region, source);
        let outcome = self.settled(self.run(&cx, &request).await).await;
        let outcome = outcome.and_then(|reply| self.in_time(reply));
        self.finish(mounted, &request, Some(&cx), outcome).await
    }

    /// Makes sure that this node knows what was revoked until now, authenticates, then takes one of the account's requests
    /// per second. Everything that was committed before the request came is seen by what follows. An open action is limited by source before its
    /// credentials are looked at, since looking may be what costs.
    async fn admit(&self, mounted: &Mounted, request: &Request) -> Result<Admitted, Fault> {
        self.app.audit_accepts()?;
        self.app.fresh()?;
        let open = self.target.route.action.access == Access::Open;
        if open {
            let source = network(request.incoming.source);
            mounted
                .take(BuildHasherDefault::<DefaultHasher>::default().hash_one(source), self.app.nodes())?;
        }
        let admitted = self.dialect.admit(&self.app.authority, &self.target, request).await?;
        if let (false, Some(caller)) = (open, &admitted.caller) {
            mounted.take(caller.account.id.0, self.app.nodes())?;
        }
        Ok(admitted)
    }

    async fn run(&self, cx: &Cx<'_>, request: &Request) -> Result<Reply, Fault> {
        let run = self.target.route.run;
        let mut outcome = run(cx, request).await;
        for _ in 0..RETRIES {
            if !matches!(outcome, Err(Fault::Conflict)) {
                break;
            }
            outcome = run(cx, request).await;
        }
        // Still in conflict after all tries: nothing was changed, and trying later is right.
        outcome.map_err(|fault| if fault == Fault::Conflict { Fault::Unavailable } else { fault })
    }

    /// A change that was refused may have found somebody else's change, whose call has not returned yet, or never will: "there
    /// is no such access key" is said only once no node honours it. What says nothing of the store is said at once.
    async fn settled(&self, outcome: Result<Reply, Fault>) -> Result<Reply, Fault> {
        match &outcome {
            Err(fault) if self.target.route.action.effect == Effect::Writes && fault.is_of_the_store() => {
                self.app.authority.engine().settle().await?;
            }
            Ok(_) | Err(_) => {}
        }
        outcome
    }

    /// A node that was stopped in the middle of a request refuses rather than answer late. What has been written stays true.
    fn in_time(&self, reply: Reply) -> Result<Reply, Fault> {
        match self.target.route.action.effect {
            Effect::Reads => self.app.fresh().map(|()| reply),
            Effect::Writes => Ok(reply),
        }
    }

    /// Audits, counts, answers. An outcome that cannot be audited is not told.
    async fn finish(
        &self,
        mounted: &Mounted,
        request: &Request,
        cx: Option<&Cx<'_>>,
        outcome: Result<Reply, Fault>,
    ) -> Answer {
        let incoming = &request.incoming;
        let code = match &outcome {
            Ok(_) => Cow::Borrowed("ok"),
            Err(fault) => self.dialect.code(Some(&self.target), fault),
        };
        let caller = cx.and_then(|cx| cx.caller().ok());
        let event = Event {
            time: incoming.received.timestamp(),
            request_id: &self.dialect.request_id(incoming),
            dialect: self.dialect.name(),
            action: mounted.full_name(),
            account: caller.map(|caller| caller.account.id.0),
            user: caller.map(|caller| caller.user.id.0),
            access_key: caller
                .and_then(|caller| caller.access_key.as_ref())
                .map(|key| key.record.id.as_str()),
            source: incoming.source,
            resource: cx.and_then(Cx::touched),
            outcome: &code,
        };
        let audited = self.app.audit(&event).await;
        mounted.count(&code, self.started);
        let target = Some(&self.target);
        match audited.and(outcome) {
            Ok(reply) => self.dialect.answer(incoming, target, Ok(reply)),
            Err(fault) => self.dialect.answer(incoming, target, Err(&fault)),
        }
    }
}

/// A request without a route, or one that is not looked at further: audited like any other.
pub(crate) async fn refuse(app: &App, dialect: &dyn Dialect, incoming: &Incoming, fault: &Fault) -> Answer {
    let code = dialect.code(None, fault);
    let event = Event {
        time: incoming.received.timestamp(),
        request_id: &dialect.request_id(incoming),
        dialect: dialect.name(),
        action: incoming.path(),
        account: None,
        user: None,
        access_key: None,
        source: incoming.source,
        resource: None,
        outcome: &code,
    };
    match app.audit(&event).await {
        Ok(()) => dialect.answer(incoming, None, Err(fault)),
        Err(failed) => dialect.answer(incoming, None, Err(&failed)),
    }
}
