import { describe, expect, it } from 'vitest';
import { parseBuild } from './build.ts';

describe('parseBuild', () => {
  it('takes a build’s own words in their exact shape only', () => {
    const build = { version: '0.1.0', hash: 'ab'.repeat(32), files: 3 };
    expect(parseBuild(build)).toEqual(build);
    expect(parseBuild({ ...build, hash: 'ab' })).toBeNull();
    expect(parseBuild({ ...build, files: '3' })).toBeNull();
    expect(parseBuild(null)).toBeNull();
  });
});
