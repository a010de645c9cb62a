/** Server-sent events over fetch: EventSource cannot send the token, and a ticket would stand in an address. */

/**
 * Reads the events of a stream.
 *
 * @param {ReadableStream<Uint8Array>} body
 * @param {() => void} alive called for everything that comes, comments too
 * @returns {AsyncGenerator<{id: string, event: string, data: string}>}
 */
export async function* eventsOf(body, alive) {
  const reader = body
    .pipeThrough(/** @type {TransformStream<Uint8Array, string>} */ (new TextDecoderStream()))
    .getReader();
  let rest = "";
  let frame = fresh();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      alive();
      const lines = (rest + value).split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (line === "") {
          if (frame.data.length) yield { id: frame.id, event: frame.event, data: frame.data.join("\n") };
          frame = fresh();
        } else read(frame, line);
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function fresh() {
  return { id: "", event: "message", data: /** @type {string[]} */ ([]) };
}

/**
 * @param {ReturnType<typeof fresh>} frame
 * @param {string} line
 */
function read(frame, line) {
  const colon = line.indexOf(":");
  const name = colon < 0 ? line : line.slice(0, colon);
  const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
  if (name === "id") frame.id = value;
  else if (name === "event") frame.event = value;
  else if (name === "data") frame.data.push(value);
}
