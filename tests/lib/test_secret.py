from concurrent.futures import ThreadPoolExecutor

from leadcrm.lib.secret import local_secret


def test_the_key_is_made_once_and_is_readable_by_its_owner_only(tmp_path):
    path = tmp_path / "var" / "secret_key"
    key = local_secret(path)
    assert len(key) >= 50
    assert path.stat().st_mode & 0o777 == 0o600
    assert local_secret(path) == key


def test_processes_that_start_together_agree_on_one_key(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(local_secret, [tmp_path / "secret_key"] * 16))
    assert len(keys) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


def test_another_installation_has_another_key(tmp_path):
    assert local_secret(tmp_path / "one") != local_secret(tmp_path / "two")
