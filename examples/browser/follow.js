// Follows an organization's events in a browser, also while the gateway restarts.
//
// base: the gateway's address, "" for the page's own. ticket: asks your backend for a new ticket, each time.
// names: of the events to tell. tell: is given each event. since: the last id that the page knows, if any.
export function follow(base, ticket, names, tell, since = "") {
  let source, timer, stopped = false;
  const again = () => {
    source?.close();
    clearTimeout(timer);
    if (!stopped) timer = setTimeout(open, 1000 + 1000 * Math.random());
  };
  const alive = () => {
    clearTimeout(timer);
    timer = setTimeout(again, 40_000); // more than two heartbeats
  };
  const open = async () => {
    try {
      const query = new URLSearchParams({ ticket: await ticket(), events: names, since });
      if (stopped) return;
      source = new EventSource(`${base}/api/v1/events?${query}`);
    } catch {
      return again();
    }
    alive();
    source.onerror = again; // never left to itself: a ticket opens one stream
    for (const name of ["heartbeat", "gap", ...names])
      source.addEventListener(name, (event) => {
        alive();
        if (name !== "heartbeat") tell(JSON.parse(event.data));
        since = event.lastEventId;
      });
  };
  open();
  return () => {
    stopped = true;
    again();
  };
}
