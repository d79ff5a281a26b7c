//! The options of the listeners, besides `--listen`.

use clap::Args;
use common::Listen;

/// The options of the listeners, besides `--listen`.
#[derive(Args)]
pub(crate) struct ListenerArguments {
    /// Address of a listener for the operator: the page, its JSON, /metrics and purge [default: they are
    /// on --listen if that is a loopback address, and nowhere otherwise]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) operator_listen: Option<Listen>,

    /// Serve no page
    #[arg(long)]
    pub(crate) no_page: bool,
}
