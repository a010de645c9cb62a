// The codes that a console of the same origin shows now, as it tells over a channel between the two pages.
//
// The console posts {type: "qr", session, code, expiresAt, label?} for each code that it shows, and again in answer to
// {type: "who-shows-one"}; expiresAt is in epoch milliseconds. {type: "qr-gone", session} takes it back.

const NAME = "wagate-pairing";

/**
 * Listens while a dialog is open.
 *
 * @param {function(Object[]): void} show Called with the codes on show, whenever these have changed.
 * @returns {{forget: function(string): void, close: function(): void}}
 */
export function listen(show) {
  const offers = new Map();
  const channel = new BroadcastChannel(NAME);
  const tell = () => show([...offers.values()]);
  const forget = (session) => {
    if (offers.delete(session)) {
      tell();
    }
  };
  const expiring = setInterval(() => {
    for (const [session, offer] of offers) {
      if (offer.expiresAt <= Date.now()) {
        offers.delete(session);
      }
    }
    tell();
  }, 1000);
  channel.addEventListener("message", ({ data }) => {
    if (data?.type === "qr" && typeof data.session === "string" && typeof data.code === "string") {
      offers.set(data.session, {
        session: data.session,
        label: typeof data.label === "string" ? data.label : "",
        code: data.code,
        expiresAt: Number(data.expiresAt) || Date.now() + 60_000,
      });
      tell();
    } else if (data?.type === "qr-gone") {
      forget(data.session);
    }
  });
  channel.postMessage({ type: "who-shows-one" });
  tell();
  return {
    forget,
    close() {
      clearInterval(expiring);
      channel.close();
    },
  };
}
