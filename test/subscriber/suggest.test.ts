import { describe, expect, it } from 'vitest'
import { judgeDomain } from '../../src/subscriber/suggest.ts'

describe('a domain', () => {
  it.each([
    ['gmial.com', 'gmail.com'],
    ['gmai.com', 'gmail.com'],
    ['gmail.co', 'gmail.com'],
    ['gmail.con', 'gmail.com'],
    ['hotmial.com', 'hotmail.com'],
    ['outlok.com', 'outlook.com'],
    ['yaho.com', 'yahoo.com'],
    ['iclod.com', 'icloud.com'],
  ])('%s is probably %s', (typed, meant) => {
    expect(judgeDomain(`ann@${typed}`)).toEqual({ kind: 'misspelled', suggestion: `ann@${meant}` })
  })

  it.each([
    ...[
      'gmail.com',
      'googlemail.com',
      'email.com',
      'mail.com',
      'mail.de',
      'gmx.de',
      'gmx.com',
      'web.de',
      'uol.com',
    ],
    ...[
      'hotmail.se',
      'yahoo.se',
      'yahoo.no',
      'live.se',
      'proton.me',
      'me.com',
      'qq.com',
      'icloud.com',
      'ymail.com',
    ],
    ...[
      'example.test',
      'example.com',
      'company.co.uk',
      'xn--bcher-kva.example',
      'github.com',
      'ibm.com',
      'x.com',
    ],
  ])('%s is what it is', (domain) => {
    expect(judgeDomain(`ann@${domain}`)).toEqual({ kind: 'fine' })
  })

  it.each(['mailinator.com', 'inbox.mailinator.com', 'guerrillamail.com'])(
    '%s is for throwing away',
    (domain) => {
      expect(judgeDomain(`ann@${domain}`)).toEqual({ kind: 'throwaway' })
    },
  )

  it('is judged alone: what stands before the @ is kept, and makes no difference', () => {
    expect(judgeDomain('a.very+odd_one@gmial.com')).toEqual({
      ...{ kind: 'misspelled', suggestion: 'a.very+odd_one@gmail.com' },
    })
  })
})
