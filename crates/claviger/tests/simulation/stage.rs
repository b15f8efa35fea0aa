//! What a run takes place on: machines with clocks of their own, members of etcd, and how long those take.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use claviger_store_etcd::simulated::{Delay, Etcd};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use turmoil::Sim;
use turmoil::net::TcpListener;

use crate::chance::{Chance, Who};
use crate::gate::{Cable, Link};
use crate::history::History;
use crate::node::{Inbox, MEMBERS, Machine, Stage};
use crate::watched::Sabotage;

pub(crate) fn machine(number: u64, stage: &Arc<Stage>, setting: &Chance, seed: u64) -> Arc<Machine> {
    let offset = match stage.sabotage {
        Sabotage::WildClocks => [-450, 450, 0][usize::try_from(number - 1).expect("a few nodes") % 3],
        // Further apart than clocks of quartz ever are, but not as far as the protocol allows for.
        _ => {
            let most = [5, 85][setting.index(2)];
            setting.index(2 * most + 1).cast_signed() - most.cast_signed()
        }
    };
    let offset = i32::try_from(offset).expect("less than a thousand");
    Arc::new(Machine {
        number,
        stage: Arc::clone(stage),
        inbox: Inbox::default(),
        gate: Arc::default(),
        links: (0..MEMBERS).map(|_| Arc::default()).collect(),
        rate: 1.0 + f64::from(offset) / 1000.0,
        behind: setting.millis(0..500),
        chance: Chance::new(seed, Who::Node(number)),
        stops: Arc::default(),
    })
}

pub(crate) fn host_member(sim: &mut Sim<'static>, etcd: &Etcd, number: u64, sockets: &Arc<Link>) {
    let (member, sockets) = (etcd.member(number), Arc::clone(sockets));
    sim.host(format!("etcd{number}"), move || {
        let (member, sockets) = (member.clone(), Arc::clone(&sockets));
        async move {
            let listener = TcpListener::bind(("0.0.0.0", 2379)).await?;
            let (accepted, incoming) = tokio::sync::mpsc::channel(16);
            let accept = async move {
                while let Ok((stream, _)) = listener.accept().await {
                    let cable = Cable::new(stream, Arc::default(), Arc::clone(&sockets));
                    if accepted.send(cable).await.is_err() {
                        return;
                    }
                }
            };
            let incoming = ReceiverStream::new(incoming).map(Ok::<_, ()>);
            tokio::join!(accept, member.serve(incoming));
            Ok(())
        }
    });
}

/// Requests take a moment, and now and then much longer; answers the longest delay in milliseconds, to be set.
pub(crate) fn delay_requests(etcd: &Etcd, seed: u64, history: &Arc<History>) -> Arc<AtomicU64> {
    let longest = Arc::new(AtomicU64::new(0));
    let (asked, chance) = (Arc::clone(&longest), Chance::new(seed, Who::Delays));
    let history = Arc::clone(history);
    etcd.set_delays(Arc::new(move |call| {
        history.note(&format!("etcd {} is asked {}", call.member, call.method));
        let longest = asked.load(Ordering::SeqCst);
        let usual = Duration::from_micros(chance.below(1500));
        let more = || if chance.happens(30) { chance.millis(0..longest + 1) } else { Duration::ZERO };
        Delay { before: usual + more(), after: more() }
    }));
    longest
}
