import { Hono } from 'hono'
import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import {
  type Connected,
  clientAddress,
  networkOf,
  networkReader,
  parseRange,
  type Range,
} from '../../src/http/client-address.ts'

const proxies = ['10.0.0.0/8', '::1', '2001:db8:ffff::/48'].map(range)

describe('where a request comes from', () => {
  it.each<[string, string, string | undefined, string]>([
    ['nobody is in between', '203.0.113.9', undefined, '203.0.113.9'],
    ['a stranger writes the header themselves', '203.0.113.9', '198.51.100.1', '203.0.113.9'],
    ['our proxy says', '10.0.0.1', '198.51.100.1', '198.51.100.1'],
    [
      'a stranger wrote more, left of what our proxy says',
      '10.0.0.1',
      '1.1.1.1, 198.51.100.1',
      '198.51.100.1',
    ],
    ['two of our proxies', '10.0.0.1', '1.1.1.1, 198.51.100.1, 10.0.0.2', '198.51.100.1'],
    [
      'a stranger claims to be a proxy of ours',
      '10.0.0.1',
      '198.51.100.1, 10.9.9.9, 203.0.113.9',
      '203.0.113.9',
    ],
    ['everybody is ours', '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['rubbish, right of everything', '10.0.0.1', '198.51.100.1, unknown', '10.0.0.1'],
    ['our proxy says nothing', '10.0.0.1', undefined, '10.0.0.1'],
    ['IPv4 within IPv6', '::ffff:10.0.0.1', '::ffff:198.51.100.1', '198.51.100.1'],
    ['IPv6', '::1', '2001:db8:1:2::5', '2001:db8:1:2::5'],
    ['with ports', '10.0.0.1', '198.51.100.1:4711', '198.51.100.1'],
    ['IPv6 with a port', '10.0.0.1', '[2001:db8:1:2::5]:4711', '2001:db8:1:2::5'],
  ])('%s', (_, peer, forwardedFor, client) => {
    expect(clientAddress(peer, forwardedFor, proxies)?.toString()).toBe(client)
  })

  it.each([
    ['198.51.100.77', '198.51.100.0/24'],
    ['::ffff:198.51.100.77', '198.51.100.0/24'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['::1', '0:0:0:0::/64'],
    [undefined, 'unknown'],
    ['nonsense', 'unknown'],
    ['0x7f.1', 'unknown'],
  ])('is kept as a network only: %s as %s', (peer, network) => {
    expect(networkOf(clientAddress(peer, undefined, []))).toBe(network)
  })

  it('is not asked of a header while no proxy is trusted, and that is said once', async () => {
    const lines: string[] = []
    const networkAt = networkReader({
      trusted: [],
      log: pino({ base: null }, { write: (line) => void lines.push(line) }),
    })
    const app = new Hono<Connected>().get('/', (c) => c.text(networkAt(c)))
    const ask = (peer: string, header?: string) =>
      app.request(
        '/',
        { headers: header ? { 'X-Forwarded-For': header } : {} },
        { incoming: { socket: { remoteAddress: peer } } },
      )

    expect(await (await ask('127.0.0.1')).text()).toBe('127.0.0.0/24')
    expect(lines).toEqual([])
    expect(await (await ask('127.0.0.1', '198.51.100.1')).text()).toBe('127.0.0.0/24')
    expect(await (await ask('127.0.0.1', '198.51.100.2')).text()).toBe('127.0.0.0/24')
    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain('TRUSTED_PROXIES')
    expect(lines[0]).not.toContain('198.51')
  })
})

describe('a range', () => {
  it.each(['10.0.0.0/8', '10.1.2.3', '::1', '2001:db8::/32'])('may be %s', (text) => {
    expect(parseRange(text)).toBeDefined()
  })

  it.each(['', 'localhost', '10.0.0.0/33', '10.0.0', '::1/129', '10.0.0.0/8/8'])(
    'may not be "%s"',
    (text) => {
      expect(parseRange(text)).toBeUndefined()
    },
  )
})

function range(text: string): Range {
  const parsed = parseRange(text)
  if (!parsed) throw new Error(`${text} is no range`)
  return parsed
}
