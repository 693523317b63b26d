import type { HttpBindings } from '@hono/node-server'
import type { Context } from 'hono'
import ipaddr from 'ipaddr.js'
import type { Log } from '../log.ts'

export type Address = ipaddr.IPv4 | ipaddr.IPv6

/** A range of addresses, parsed: its first address and the length of its prefix. */
export type Range = readonly [Address, number]

/** What the node server hands on beside the request; tests may leave it out. */
export type Connected = { Bindings: Partial<HttpBindings> }

/** An address or a CIDR range such as `10.0.0.0/8`; undefined when it is neither. */
export function parseRange(text: string): Range | undefined {
  const [address = ''] = text.split('/')
  const withLength = text === address ? `${text}/${text.includes(':') ? 128 : 32}` : text
  return isWhole(address) && ipaddr.isValidCIDR(withLength) ? ipaddr.parseCIDR(withLength) : undefined
}

/**
 * Where a request comes from: the peer itself, or, when the peer is one of our own proxies, the rightmost address in
 * `X-Forwarded-For` that is not (RELIABILITY S3). What stands further left, anybody may have written.
 */
export function clientAddress(
  peer: string | undefined,
  forwardedFor: string | undefined,
  trusted: readonly Range[],
): Address | undefined {
  const hops = trusted.length > 0 && forwardedFor ? forwardedFor.split(',') : []
  let client = parse(peer)
  while (client && isWithin(client, trusted)) {
    const next = parse(hops.pop()?.trim())
    if (!next) break
    client = next
  }
  return client
}

/** The network that is counted and kept instead of an address: /24, or /64 for IPv6. */
export function networkOf(address: Address | undefined): string {
  if (!address) return 'unknown'
  if (address instanceof ipaddr.IPv4) return `${address.octets.slice(0, 3).join('.')}.0/24`
  const groups = address.parts.slice(0, 4).map((group) => group.toString(16))
  return `${groups.join(':')}::/64`
}

/** Reads a request's network. Says once when a proxy seems to be in front that nobody told us to trust. */
export function networkReader({ trusted, log }: { trusted: readonly Range[]; log: Log }) {
  let hasWarned = false
  return (c: Pick<Context<Connected>, 'env' | 'req'>): string => {
    const peer = c.env?.incoming?.socket.remoteAddress
    const forwardedFor = c.req.header('x-forwarded-for')
    if (forwardedFor && !hasWarned && isOwn(peer, trusted)) {
      hasWarned = true
      log.warn('a proxy sends X-Forwarded-For and is not in TRUSTED_PROXIES: all its clients count as one')
    }
    return networkOf(clientAddress(peer, forwardedFor, trusted))
  }
}

/** Whether a request was made on this machine, by a program that is no proxy: those say for whom they ask. */
export function isOnThisMachine(c: Context<Connected>): boolean {
  const peer = parse(c.env?.incoming?.socket.remoteAddress)
  const isForwarded = ['x-forwarded-for', 'forwarded', 'via', 'x-real-ip'].some((name) => c.req.header(name))
  return peer?.range() === 'loopback' && !isForwarded
}

/** A peer on this machine or in its private network that is not trusted. */
function isOwn(peer: string | undefined, trusted: readonly Range[]): boolean {
  const address = parse(peer)
  return address !== undefined && address.range() !== 'unicast' && !isWithin(address, trusted)
}

function isWithin(address: Address, ranges: readonly Range[]): boolean {
  return ranges.some(([start, length]) => address.kind() === start.kind() && address.match(start, length))
}

/** An address with or without a port; IPv4 within IPv6 as the IPv4 it is. */
function parse(text: string | undefined): Address | undefined {
  const bare = text?.replace(/^\[(.*)\](?::\d+)?$/, '$1').replace(/^([\d.]+):\d+$/, '$1')
  return bare && isWhole(bare) ? ipaddr.process(bare) : undefined
}

/** Without the short, octal and hexadecimal forms of IPv4, which programs read differently. */
function isWhole(address: string): boolean {
  return address.includes(':') ? ipaddr.IPv6.isValid(address) : ipaddr.IPv4.isValidFourPartDecimal(address)
}
