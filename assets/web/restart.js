// ICE restarted on a session that stands: another path to the server, the same participant and tile (RFC 9725 §4.3.3).
// In: a connection, and a way to send the fragment. Out: the connection with the server's new credentials. Never: a new offer to the
// server; where the restart fails, the connection is as it was.

/** @param {(fragment: string) => Promise<string>} send gives the server's fragment for ours */
export async function restartIce(connection, send) {
  const before = connection.remoteDescription.sdp;
  connection.restartIce();
  await connection.setLocalDescription();
  try {
    const theirs = await send(fragmentOf(connection.localDescription.sdp));
    await connection.setRemoteDescription({ type: "answer", sdp: renewed(before, theirs) });
  } catch (problem) {
    if (connection.signalingState === "have-local-offer") await connection.setLocalDescription({ type: "rollback" });
    throw problem;
  }
}

/** Our credentials, as the server takes them (RFC 8840 §4). */
function fragmentOf(offer) {
  const media = offer.match(/^m=.*$/m)[0];
  return [line(offer, "ice-ufrag"), line(offer, "ice-pwd"), media, line(offer, "mid"), ""].join("\r\n");
}

/** The answer that stands with the credentials and candidates of a fragment, one version later. */
function renewed(answer, fragment) {
  const first = answer.indexOf("\r\nm=");
  const candidates = fragment.match(/^a=(candidate:.*|end-of-candidates)\r?$/gm)?.map((one) => one.trim()) ?? [];
  const sections = answer
    .replace(/^a=(candidate:.*|end-of-candidates)\r\n/gm, "")
    .replace(/^a=ice-ufrag:.*$/gm, line(fragment, "ice-ufrag"))
    .replace(/^a=ice-pwd:.*$/gm, line(fragment, "ice-pwd"))
    .replace(/^(o=\S+ \S+ )(\d+)/m, (_, start, version) => `${start}${Number(version) + 1}`);
  if (first < 0) return sections;
  const [head, section, ...rest] = sections.split(/\r\n(?=m=)/);
  return [head, [section.trimEnd(), ...candidates].join("\r\n"), ...rest.map((one) => one.trimEnd())].join("\r\n") + "\r\n";
}

function line(text, name) {
  return text.match(new RegExp(`^a=${name}:[^\\r\\n]*`, "m"))?.[0] ?? "";
}
