// What is in order at a publishing point, and what is not.

import { element } from '../dom.js';
import { length, size } from '../words.js';

const SILENT = 12; // seconds without anything new
const GONE = 6; // seconds between two fragments of an encoder that pushes each in a request of its own, at most
const WAITS = 5; // seconds for which players wait for the archive

/** The tracks of pictures and sound: captions and commands come when there are some. */
function steady(point) {
  return point.streams.filter((stream) => stream.kind !== 'text').flatMap((stream) => stream.tracks);
}

const least = (numbers) => {
  const known = numbers.filter((number) => number !== null && number !== undefined);
  return known.length > 0 ? Math.min(...known) : null;
};

/** Returns the seconds since the newest chunk was published; `null` if none was. */
export function sinceNewest(point) {
  return least(steady(point).map((track) => track.newest_seconds));
}

/** Returns the longest time from arrival to publication of the newest fragments, in seconds; `null` if there are none. */
export function latency(point) {
  const tracks = steady(point).filter((track) => track.fragments > 0);
  return tracks.length > 0 ? Math.max(...tracks.map((track) => track.latency_seconds)) : null;
}

/** Returns the end of the newest chunk, in seconds of media time; `null` if there is none. */
export function edge(point) {
  const streams = point.streams.filter((stream) => stream.kind !== 'text' && stream.chunks > 0);
  return streams.length > 0 ? Math.max(...streams.map((stream) => stream.end_seconds)) : null;
}

/** Returns what is not in order, each in two words and in a sentence without numbers that change: `{ short, what }`. */
export function troubles(point) {
  const found = [];
  if (point.state === 'started') {
    const silent = least(point.encoders.map((encoder) => encoder.silent_seconds));
    const isConnected = point.encoders.some((encoder) => encoder.is_connected);
    const since = sinceNewest(point) ?? silent;
    if (!isConnected && (silent === null || silent > GONE)) {
      found.push({ short: 'no encoder', what: 'No encoder pushes. The event goes on when one comes back, and ends when you stop it.' });
    } else if (since !== null && since > SILENT) {
      found.push({ short: 'silent', what: `Nothing new was published for more than ${SILENT} s.` });
    }
  }
  if (point.waits_seconds !== null && point.waits_seconds > WAITS) {
    found.push({ short: 'archive hangs', what: 'The archive does not answer, and players get nothing new before it has what they get.' });
  }
  const { failure = null, film_failure: film = null } = point.archive ?? {};
  if (failure && !failure.is_past) {
    found.push({ short: 'archive fails', what: `The archive does not take what is published: ${failure.what}` });
  }
  if (film) found.push({ short: 'film fails', what: `The film of an event is not made yet: ${film}` });
  return found;
}

/** Makes the state of a point, with what is not in order in two words each. */
export function stateOf(point) {
  return [
    element('span', { class: `state ${point.state}` }, point.state),
    troubles(point).map(({ short }) => element('span', { class: 'warn trouble' }, short)),
  ];
}

/** Returns in words what the archive lacks; `–` if there is none. */
export function archiveOf({ archive }) {
  if (!archive) return '–';
  return archive.waiting_bytes > 0 ? `${size(archive.waiting_bytes)} wait` : 'has all';
}

/** Returns how long ago something was, in words; `–` if it never was. */
export function ago(seconds) {
  if (seconds === null || seconds === undefined) return '–';
  return `${seconds < 120 ? `${seconds.toFixed(1)} s` : length(Math.round(seconds))} ago`;
}
