//! The pushes that run, by the address that they come from.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Counts pushes by address.
#[derive(Clone, Debug, Default)]
pub(super) struct Peers(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// A push that counts as long as this lives.
#[derive(Debug)]
pub(super) struct Counted {
    peers: Peers,
    address: IpAddr,
}

impl Peers {
    /// Counts a push; `None` if so many of the address run.
    pub(super) fn count(&self, address: IpAddr, most: usize) -> Option<Counted> {
        let mut running = self.running();
        let of = running.entry(address).or_default();
        if *of >= most {
            if *of == 0 {
                running.remove(&address);
            }
            return None;
        }
        *of += 1;
        drop(running);
        Some(Counted { peers: self.clone(), address })
    }

    fn running(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut running = self.peers.running();
        if let Some(of) = running.get_mut(&self.address) {
            *of -= 1;
            if *of == 0 {
                running.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn an_address_has_so_many_pushes_and_leaves_nothing_behind() {
        let peers = Peers::default();
        let (here, there) = (IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from([192, 0, 2, 1]));
        assert!(peers.count(here, 0).is_none());
        let first = peers.count(here, 2).unwrap();
        let second = peers.count(here, 2).unwrap();
        assert!(peers.count(here, 2).is_none() && peers.count(there, 2).is_some());
        drop(first);
        let third = peers.count(here, 2);
        assert!(third.is_some());
        drop((second, third));
        assert!(peers.running().is_empty());
    }
}
