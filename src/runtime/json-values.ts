/** How much is in a text of JSON, told before it is parsed: three bytes such as `{},` become an object of fifty. */

const [QUOTE, BACKSLASH, COMMA, BRACKET, BRACE] = [0x22, 0x5c, 0x2c, 0x5b, 0x7b];

/** At least as many as the values that parsing would make of it, names apart. Takes time in proportion to the length, whatever it holds. */
export function countJsonValues(json: Uint8Array): number {
  let values = 1;
  for (let at = 0; at < json.length; at += 1) {
    const byte = json[at];
    if (byte === QUOTE) {
      at = endOfText(json, at);
      if (at === -1) return values;
    } else if (byte === COMMA || byte === BRACKET || byte === BRACE) {
      values += 1;
    }
  }
  return values;
}

/** Where the text that begins at `start` has its closing quote; -1: it has none. */
function endOfText(json: Uint8Array, start: number): number {
  for (let end = json.indexOf(QUOTE, start + 1); end !== -1; end = json.indexOf(QUOTE, end + 1)) {
    let first = end;
    while (first - 1 > start && json[first - 1] === BACKSLASH) first -= 1;
    if ((end - first) % 2 === 0) return end;
  }
  return -1;
}
