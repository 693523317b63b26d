import { parseHTML } from 'linkedom'
import { describe, expect, it } from 'vitest'
import type { WorkDeps } from '../../jobs/work.ts'
import { unsubscribe } from '../../src/subscriber/unsubscribe.ts'
import { wording } from '../../src/subscriber/wording.ts'
import { appOn } from '../setup/app.ts'
import { useDatabase } from '../setup/database.ts'
import { people } from '../setup/people.ts'
import { openDesk } from '../setup/sign-ups.ts'

const database = useDatabase()
const ann = 'ann@example.test'
const boundary = '----a-boundary-as-browsers-make-it'

describe('the sign-up page', () => {
  it('has one field that is named, and says what one agrees to', async () => {
    const page = parseHTML(await (await ask('/subscribe')).text()).document

    const field = page.querySelector('#address')
    expect(page.querySelector('label[for=address]')?.textContent).toBe('Your address')
    expect(field?.getAttribute('autocomplete')).toBe('email')
    expect(field?.getAttribute('inputmode')).toBe('email')
    expect(page.getElementById(field?.getAttribute('aria-describedby') ?? '')?.textContent).toBe(wording.text)
    expect(page.querySelector('[name=website]')?.closest('[hidden]')).not.toBeNull()
    expect(page.querySelector('script')).toBeNull()
  })

  it('is kept by nobody, and sets no cookie', async () => {
    const { headers } = await ask('/subscribe')

    expect(headers.get('Cache-Control')).toBe('no-store')
    expect(headers.get('Set-Cookie')).toBeNull()
    expect(headers.get('Referrer-Policy')).toBe('no-referrer')
  })
})

describe('what is sent to the sign-up', () => {
  it.each([
    ['a form', 'application/x-www-form-urlencoded', `address=${encodeURIComponent(ann)}`, 200],
    [
      'a form that says its letters',
      'application/x-www-form-urlencoded; charset=UTF-8',
      'address=Ann%40Example.test',
      200,
    ],
    ['JSON', 'application/json', JSON.stringify({ address: ` ${ann} ` }), 202],
    ['multipart', `multipart/form-data; boundary=${boundary}`, multipart({ address: ann }), 200],
  ])('may be %s', async (_, type, body, status) => {
    const answer = await send(type, body)

    expect(answer.status).toBe(status)
    expect((await signUps()).map(({ address }) => address)).toEqual([ann])
  })

  it('is answered to a program in its own language', async () => {
    expect(await (await sendJson({ address: ann })).json()).toEqual({ status: 'check-your-inbox' })
  })

  it.each([
    ['nothing', undefined, undefined, 415],
    ['text', 'text/plain', ann, 415],
    ['XML', 'application/xml', '<address/>', 415],
    ['half a JSON document', 'application/json', '{"address": "ann', 400],
    ['no object', 'application/json', 'null', 400],
    ['a list for an address', 'application/json', '{"address": ["ann@example.test"]}', 400],
    ['no address field', 'application/x-www-form-urlencoded', 'email=ann%40example.test', 400],
    ['multipart that is none', `multipart/form-data; boundary=${boundary}`, 'hello', 400],
    ['more than 4 KB', 'application/x-www-form-urlencoded', `address=${'a'.repeat(5_000)}`, 413],
    [
      'more than 4 KB of JSON',
      'application/json',
      JSON.stringify({ address: ann, more: 'x'.repeat(5_000) }),
      413,
    ],
  ])('may not be %s', async (_, type, body, status) => {
    const answer = await send(type, body)

    expect(answer.status).toBe(status)
    expect(await signUps()).toEqual([])
    if (type === 'application/json') expect(await answer.json()).toEqual({ error: expect.any(String) })
  })

  it('is written down with what was shown, where, and from which network', async () => {
    const form = formOf(await (await ask('/subscribe')).text())

    await sendForm({ ...form, address: ann }, { peer: '203.0.113.77' })

    expect(await signUps()).toMatchObject([
      {
        ...{ address: ann, network: '203.0.113.0/24', method: 'form', wording: wording.version },
        ...{ form_url: 'https://news.example.com/subscribe', signals: ['too fast'] },
      },
    ])
  })

  it('from a copied form or a program is written down as such, with the page its browser names', async () => {
    await sendForm(
      { address: ann, via: 'embed', wording: 'their own' },
      { headers: { Referer: 'https://blog.example/post?id=7#top' } },
    )
    await sendJson({ address: ann })

    expect(await signUps()).toMatchObject([
      {
        method: 'embedded form',
        form_url: 'https://blog.example/post',
        wording: 'unknown',
        signals: ['no stamp'],
      },
      { method: 'json', form_url: 'not told', signals: [] },
    ])
  })
})

describe('an address that cannot be one', () => {
  it.each([
    ['', 'no address was given'],
    ['ann', 'expected something like name@example.com'],
    ['ann@localhost', 'no domain name'],
    ['ann smith@example.test', 'white space'],
    ['änn@example.test', 'ASCII'],
  ])('"%s" is shown again with what is wrong: %s', async (address, problem) => {
    const answer = await sendForm({ address })
    const page = parseHTML(await answer.text()).document

    const field = page.querySelector('#address')
    const described = (field?.getAttribute('aria-describedby') ?? '')
      .split(' ')
      .map((id: string) => page.getElementById(id)?.textContent)
    expect(answer.status).toBe(400)
    expect(field?.getAttribute('value')).toBe(address)
    expect(field?.getAttribute('aria-invalid')).toBe('true')
    expect(described.join(' ')).toContain(problem)
    expect(await signUps()).toEqual([])
  })

  it('is refused to a program in JSON', async () => {
    const answer = await sendJson({ address: 'ann' })

    expect(answer.status).toBe(400)
    expect(await answer.json()).toEqual({ error: expect.stringContaining('name@example.com') })
  })

  it('stays text on the page, whatever it holds', async () => {
    const html = await (await sendForm({ address: '"><script>alert(1)</script>@x' })).text()

    expect(parseHTML(html).document.querySelector('script')).toBeNull()
  })
})

describe('an address that looks like a slip', () => {
  it('is asked about, and both ways out work', async () => {
    const answer = await sendForm({ address: 'ann@gmial.com' })
    const html = await answer.text()
    const page = parseHTML(html).document

    expect(answer.status).toBe(400)
    expect(page.querySelector('#address-problem')?.textContent).toContain('Did you mean ann@gmail.com?')
    expect(page.querySelector('button[name=correct]')?.textContent).toBe('Use ann@gmail.com')
    await sendForm({ ...formOf(html), correct: 'ann@gmail.com' })
    await sendForm(formOf(html))
    expect((await signUps()).map(({ address }) => address)).toEqual(['ann@gmail.com', 'ann@gmial.com'])
  })

  it('is asked about again when it was changed into another slip', async () => {
    const html = await (await sendForm({ address: 'ann@gmial.com' })).text()

    expect((await sendForm({ ...formOf(html), address: 'ann@gmai.com' })).status).toBe(400)
  })

  it('is told to a program, which may insist', async () => {
    expect(await (await sendJson({ address: 'ann@gmial.com' })).json()).toEqual({
      ...{ error: expect.stringContaining('asTyped'), suggestion: 'ann@gmail.com' },
    })
    expect((await sendJson({ address: 'ann@gmial.com', asTyped: true })).status).toBe(202)
  })

  it('is refused politely when it is a throwaway', async () => {
    const answer = await sendForm({ address: 'ann@mailinator.com' })

    expect(answer.status).toBe(400)
    expect(await answer.text()).toContain('throwaway mailbox')
    expect((await sendJson({ address: 'ann@mailinator.com', asTyped: true })).status).toBe(400)
  })
})

describe('the answer', () => {
  it.each(['form', 'embedded form', 'json'] as const)(
    'to a %s is the same for every state of an address, byte by byte',
    async (door) => {
      const addresses = await everyState()

      const answers = await Promise.all(addresses.map((address) => shown(door, address)))

      expect(new Set(answers).size).toBe(1)
      expect(answers[0]).toContain(door === 'json' ? 'check-your-inbox' : 'Check your inbox')
      expect((await signUps()).map(({ address }) => address).toSorted()).toEqual(addresses.toSorted())
    },
  )

  it('is the same when a limit is reached, and when a bot fills the trap', async () => {
    const first = await shown('form', ann)
    const { signUp } = openDesk(database)
    await signUp(ann, ann)

    expect(await shown('form', ann)).toBe(first)
    expect(await shown('form', ann, { website: 'https://spam.example', stamp: '' })).toBe(first)
  })
})

describe('the form on other sites', () => {
  it('may stand in a frame anywhere, and answers in it', async () => {
    const form = await ask('/embed')
    const answer = await request('/embed', 'POST', 'application/x-www-form-urlencoded', `address=${ann}`)

    for (const { headers } of [form, answer]) {
      expect(headers.get('Content-Security-Policy')).toContain('frame-ancestors *')
      expect(headers.get('X-Frame-Options')).toBeNull()
    }
    expect(
      parseHTML(await form.text())
        .document.querySelector('form')
        ?.getAttribute('action'),
    ).toBe('/embed')
    expect(await answer.text()).toContain('Check your inbox')
    expect(await signUps()).toMatchObject([{ address: ann, method: 'embedded form' }])
  })

  it('shows in the frame what is wrong', async () => {
    const answer = await request('/embed', 'POST', 'application/x-www-form-urlencoded', 'address=ann')

    expect(answer.status).toBe(400)
    expect(answer.headers.get('X-Frame-Options')).toBeNull()
    expect(await answer.text()).toContain('name@example.com')
  })

  it('can be copied, and works when it is', async () => {
    const page = parseHTML(await (await ask('/embed/snippet')).text()).document
    const copied = parseHTML(page.querySelector('pre')?.textContent ?? '').document
    const form = copied.querySelector('form')

    await sendForm({ ...formOf(form?.outerHTML ?? ''), address: ann })

    expect(form?.getAttribute('action')).toBe('https://news.example.com/subscribe')
    expect(await signUps()).toMatchObject([
      { address: ann, method: 'embedded form', wording: wording.version },
    ])
  })
})

describe('the network a sign-up counts for', () => {
  it('is not what a stranger’s header says', async () => {
    for (const forged of ['198.51.100.1', '1.2.3.4, 5.6.7.8', '::1'])
      await sendForm(
        { address: ann },
        {
          peer: '203.0.113.9',
          headers: { 'X-Forwarded-For': forged, 'X-Real-IP': forged, Forwarded: `for=${forged}` },
        },
      )

    expect(new Set((await signUps()).map(({ network }) => network))).toEqual(new Set(['203.0.113.0/24']))
  })

  it('is what a proxy of ours says', async () => {
    const environment = { TRUSTED_PROXIES: '10.0.0.0/8' }

    await sendForm(
      { address: ann },
      { environment, peer: '10.0.0.1', headers: { 'X-Forwarded-For': '9.9.9.9, 198.51.100.7' } },
    )

    expect(await signUps()).toMatchObject([{ network: '198.51.100.0/24' }])
  })
})

/** One address for each state that somebody's address can be in. */
async function everyState(): Promise<readonly string[]> {
  const confirmed = await people.ann(database.db)
  const left = await people.cleo(database.db)
  const { deps, signUp, clock } = openDesk(database)
  await people.bobWhoComplained(database.db)
  await signUp('pending@example.test')
  await unsubscribe(deps, left.publicId, 'page')
  const paused = await database.db
    .insertInto('subscriber')
    .values({
      address: 'paused@example.test',
      status: 'paused',
      created_at: clock(),
      confirmed_at: clock(),
      paused_until: clock().add({ hours: 99 }),
    })
    .returning('address')
    .executeTakeFirstOrThrow()
  return [
    'new@example.test',
    'pending@example.test',
    confirmed.address,
    paused.address ?? '',
    left.address,
    'bob@example.test',
  ]
}

/** Status, headers but the date, and body, as one text. */
async function shown(
  door: 'form' | 'embedded form' | 'json',
  address: string,
  more: Record<string, string> = {},
): Promise<string> {
  const answer =
    door === 'json'
      ? await sendJson({ address })
      : await request(
          door === 'form' ? '/subscribe' : '/embed',
          'POST',
          'application/x-www-form-urlencoded',
          new URLSearchParams({ address, ...more }).toString(),
        )
  answer.headers.delete('Date')
  return JSON.stringify([answer.status, [...answer.headers], await answer.text()])
}

type Sending = {
  peer?: string
  headers?: Record<string, string>
  environment?: Record<string, string>
} & Partial<WorkDeps>

function sendForm(fields: Record<string, string>, how: Sending = {}) {
  return send('application/x-www-form-urlencoded', new URLSearchParams(fields).toString(), how)
}

function sendJson(document: object) {
  return send('application/json', JSON.stringify(document))
}

function send(type: string | undefined, body: string | undefined, how: Sending = {}) {
  return request('/subscribe', 'POST', type, body, how)
}

function ask(path: string) {
  return request(path, 'GET')
}

async function request(
  path: string,
  method: string,
  type?: string,
  body?: string,
  how: Sending = {},
): Promise<Response> {
  const { peer = '192.0.2.7', headers = {}, ...rest } = how
  return appOn(database, rest).request(
    path,
    {
      method,
      headers: {
        ...(type && { 'Content-Type': type, 'Content-Length': String(Buffer.byteLength(body ?? '')) }),
        ...headers,
      },
      body: body ?? null,
    },
    { incoming: { socket: { remoteAddress: peer } } },
  )
}

function signUps() {
  return database.db.selectFrom('sign_up').selectAll().orderBy('id').execute()
}

/** The fields of the form in a page, as a browser would send them with its first button. */
function formOf(html: string): Record<string, string> {
  const fields = parseHTML(html).document.querySelectorAll('input')
  return Object.fromEntries(
    [...fields].map((field) => [field.getAttribute('name') ?? '', field.getAttribute('value') ?? '']),
  )
}

function multipart(fields: Record<string, string>): string {
  const parts = Object.entries(fields).map(
    ([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  )
  return `${parts.join('')}--${boundary}--\r\n`
}
