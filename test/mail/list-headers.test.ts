import { describe, expect, it } from 'vitest'
import { listHeaders, listIdUnder } from '../../src/mail/list-headers.ts'

const listId = 'weekly.example.com'
const unsubscribeUrl = 'https://example.com/unsubscribe/abc.def-123'

describe('the list headers', () => {
  it('give a mail program one link to unsubscribe with, and the pair that makes it one click', () => {
    expect(listHeaders({ unsubscribeUrl, listId })).toEqual({
      'List-Unsubscribe': '<https://example.com/unsubscribe/abc.def-123>',
      'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
      'List-Id': 'Weekly Verdict <weekly.example.com>',
    })
  })

  it('name the list under a domain of ours', () => {
    expect(listIdUnder('News.Example.com')).toBe('weekly.news.example.com')
  })

  it.each([
    ['a line break', 'https://example.com/u/1\r\nBcc: everyone@example.com'],
    ['a control character', 'https://example.com/u/\u0000'],
    ['a letter that is not ASCII', 'https://example.com/u/é'],
    ['a space', 'https://example.com/u/ 1'],
    ['a bracket', 'https://example.com/u/1>, <mailto:x@example.com'],
    ['another scheme', 'javascript:alert(1)'],
    ['nothing', ''],
  ])('refuse a link with %s', (_, url) => {
    expect(() => listHeaders({ unsubscribeUrl: url, listId })).toThrow(TypeError)
  })

  it.each([
    ['a line break', 'weekly.example.com\r\nBcc: x'],
    ['a letter that is not ASCII', 'weekly.exämple.com'],
    ['a bracket', 'weekly.example.com>'],
    ['no dot', 'weekly'],
  ])('refuse a list id with %s', (_, id) => {
    expect(() => listHeaders({ unsubscribeUrl, listId: id })).toThrow(TypeError)
  })

  it('fit in one line, or are refused', () => {
    const link = (length: number) => 'https://example.com/'.padEnd(length, 'x')

    expect(listHeaders({ unsubscribeUrl: link(900), listId })['List-Unsubscribe']).toHaveLength(902)
    expect(() => listHeaders({ unsubscribeUrl: link(990), listId })).toThrow(RangeError)
  })
})
