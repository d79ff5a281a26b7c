// What this browser decodes.

/** Returns whether the browser decodes a track; `null` if it cannot be known. */
export function decodes(type, { rfc6381: codec, encrypted }) {
  if (type === 'text' || !codec || encrypted || !globalThis.MediaSource) return null;
  return MediaSource.isTypeSupported(`${type}/mp4; codecs="${codec}"`);
}

/** Returns why a presentation cannot be played here, as a sentence and advice, or `null`. */
export function refusal({ streams, protection }) {
  if (!globalThis.MediaSource) {
    return { what: 'This browser has no Media Source Extensions, which the players need.', advice: 'Open the page in Chromium, Firefox, Edge or Safari on a computer.' };
  }
  if ((protection ?? []).length > 0) {
    return {
      what: `This presentation is encrypted (${protection.map(({ system }) => system).join(', ')}).`,
      advice: 'The page has no licence server, so it cannot decrypt it. Play it with your own player and licence server.',
    };
  }
  for (const kind of ['video', 'audio']) {
    const tracks = streams.filter(({ type }) => type === kind).flatMap((stream) => stream.tracks);
    if (tracks.length > 0 && tracks.every((track) => decodes(kind, track) === false)) {
      const names = [...new Set(tracks.map(({ codec, rfc6381 }) => `${codec ?? 'unknown codec'} (${rfc6381})`))];
      return {
        what: `This browser does not decode the ${kind === 'video' ? 'pictures' : 'sound'} of this presentation: ${names.join(', ')}.`,
        advice: 'The server sends them all the same. Try another browser, or a player with a decoder of its own, such as VLC.',
      };
    }
  }
  return null;
}
