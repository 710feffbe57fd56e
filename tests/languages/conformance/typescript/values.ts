// Plain and composed values out of JSON and back.

// What the table of cases holds is looked at by the suite, not by the compiler.
export type Json = any;

export function same<T>(v: Json): T {
  return v;
}

export function json(v: Json): Json {
  return v;
}

export function nothing(_: void): Json {
  return null;
}

export function bytes(v: Json): Uint8Array {
  return Uint8Array.from((v as string).match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

export function hex(v: Uint8Array): Json {
  return Array.from(v, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function option<T>(read: (v: Json) => T): (v: Json) => T | undefined {
  return (v) => (v === null || v === undefined ? undefined : read(v));
}

export function many<T>(read: (v: Json) => T): (v: Json) => T[] {
  return (v) => (v as Json[]).map(read);
}

export function some<T>(write: (v: T) => Json): (v: T | null | undefined) => Json {
  return (v) => (v === undefined || v === null ? null : write(v));
}

export function each<T>(write: (v: T) => Json): (v: Array<T>) => Json {
  // Of numbers the engine gives a typed array.
  return (v) => Array.from(v, write);
}

export function either<T, E>(ok: (v: T) => Json, err: (v: E) => Json): (v: { tag: "ok"; val: T } | { tag: "err"; val: E }) => Json {
  return (v) => (v.tag === "ok" ? { ok: ok(v.val) } : { err: err(v.val) });
}
