import { domainToASCII } from 'node:url'

export type ParsedAddress =
  | { readonly ok: true; readonly address: string }
  | { readonly ok: false; readonly problem: string }

/**
 * An address as we store and compare it: NFC, ASCII letters folded, the domain as A-labels (RELIABILITY S20).
 * Refuses what no mailbox of ours can have, and says what is wrong.
 */
export function parseAddress(input: string): ParsedAddress {
  const trimmed = input.trim().normalize('NFC')
  if (trimmed === '') return refuse('no address was given')
  if (/[\p{Cc}\p{Cf}\p{Zs}\p{Zl}\p{Zp}]/u.test(trimmed))
    return refuse('it contains white space or an invisible character')

  const at = trimmed.lastIndexOf('@')
  if (at < 1 || at === trimmed.length - 1) return refuse('expected something like name@example.com')
  return join(trimmed.slice(0, at), trimmed.slice(at + 1))
}

function join(local: string, givenDomain: string): ParsedAddress {
  if (/[^\x21-\x7e]/.test(local)) return refuse('only ASCII letters can stand before the @ for now')
  if (!/^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+$/.test(local))
    return refuse('it has a character that no address has before the @')
  if (/^\.|\.$|\.\./.test(local)) return refuse('a dot is out of place before the @')
  if (local.length > 64) return refuse('the part before the @ is longer than 64 characters')

  const domain = domainToASCII(givenDomain)
  if (!/^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])$/.test(domain))
    return refuse('the part after the @ is no domain name')
  const address = `${local}@${domain}`.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
  return address.length > 254 ? refuse('it is longer than 254 characters') : { ok: true, address }
}

function refuse(problem: string): ParsedAddress {
  return { ok: false, problem }
}

/** An address as a page may show it to whoever holds a link: `a…@e….test`. */
export function maskAddress(address: string): string {
  const [, first, host, rest] = /^(.).*@(.).*?(\.[^.]+)$/.exec(address) ?? []
  return first && host && rest ? `${first}…@${host}…${rest}` : 'This address'
}
