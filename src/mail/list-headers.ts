/** The three fields by which a mail program offers "unsubscribe" and tells one list from another. */
export type ListHeaders = {
  readonly 'List-Unsubscribe': string
  readonly 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click'
  readonly 'List-Id': string
}

/** One link and no `mailto:`, with the one-click pair (RFC 8058 section 3.1) and the list's name (RFC 2919). Throws on a part that cannot stand in a header. */
export function listHeaders({
  unsubscribeUrl,
  listId,
}: {
  unsubscribeUrl: string
  listId: string
}): ListHeaders {
  return {
    'List-Unsubscribe': fitting('List-Unsubscribe', `<${webAddress(unsubscribeUrl)}>`),
    'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
    'List-Id': fitting('List-Id', `Weekly Verdict <${dottedName(listId)}>`),
  }
}

/** The list's id under a domain the sender owns, e.g. `weekly.example.com`; never changes once readers have filters on it. */
export function listIdUnder(domain: string): string {
  return dottedName(`weekly.${domain.toLowerCase()}`)
}

function webAddress(url: string): string {
  if (!/^https?:\/\/[\x21-\x7e]+$/.test(url) || /[<>"\\]/.test(url) || !URL.canParse(url)) {
    throw new TypeError(
      'The unsubscribe link has to be one http(s) URL of printable ASCII, without spaces or <>"\\.',
    )
  }
  return url
}

function dottedName(id: string): string {
  if (id.length > 255 || !/^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/i.test(id)) {
    throw new TypeError(
      'The list id has to be a dotted name of letters, digits and hyphens, at most 255 long (RFC 2919).',
    )
  }
  return id
}

/** RFC 5322 section 2.1.1: no line over 998 octets, and neither of these values has a place to fold. */
function fitting(name: string, value: string): string {
  if (name.length + 2 + value.length >= 998) throw new RangeError(`${name} is too long for one header line.`)
  return value
}
