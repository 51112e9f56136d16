"""Remove one guard after the other and check that a test fails: `python -m tests.faults.guards [NAME ...]`.

A guard is code that protects against a fault. It is removed from a copy of the project. If the tests named for it pass
without it, no test covers it.
"""

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Guard:
    """A piece of code, its replacement, and the tests (pytest -k) of which at least one must then fail."""

    name: str
    file: str
    code: str
    without: str
    tests: str


GUARDS = (
    Guard(
        "optimizer restored",
        "recipes/training/resuming.py",
        "        training_state.load_optimizer(Path(checkpoint), self.optimizer)\n",
        "",
        "told_to_end and 130",
    ),
    Guard(
        "schedule restored",
        "recipes/training/resuming.py",
        "        self.lr_scheduler.load_state_dict(",
        "        str(",
        "told_to_end and 130",
    ),
    Guard(
        "random numbers restored",
        "recipes/training/resuming.py",
        '        training_state.set_random_state(state["random"])\n',
        "",
        "told_to_end and 130",
    ),
    Guard(
        "epoch evaluated before it is saved",
        "recipes/training/resuming.py",
        "if (ends_epoch and not evaluated) or self.control.should_training_stop:",
        "if self.control.should_training_stop:",
        "right_after_an_epoch",
    ),
    Guard(
        "hash of each file",
        "recipes/checkpoints/sealed.py",
        'if hashlib.file_digest(file, "sha256").hexdigest() != expected["sha256"]:',
        "if False:",
        "newest_checkpoint_is_damaged and flip",
    ),
    Guard(
        "size of each file",
        "recipes/checkpoints/sealed.py",
        'if size != expected["size"]:',
        "if False:",
        "newest_checkpoint_is_damaged and cut",
    ),
    Guard(
        "no file too few",
        "recipes/checkpoints/sealed.py",
        "for missing in sorted(files.keys() - there.keys()):",
        "for missing in []:",
        "newest_checkpoint_is_damaged and unlink",
    ),
    Guard(
        "no file too many",
        "recipes/checkpoints/sealed.py",
        "for strange in sorted(there.keys() - files.keys() - {MANIFEST}):",
        "for strange in []:",
        "pickles_in_a_checkpoint",
    ),
    Guard(
        "two states kept", "recipes/checkpoints/sealed.py", "STATES_KEPT = 2", "STATES_KEPT = 1", "newest_checkpoint"
    ),
    Guard(
        "best weights kept",
        "recipes/checkpoints/sealed.py",
        "        kept.add(folder_name(BEST, best_step))\n",
        "        pass\n",
        "told_to_end and 130",
    ),
    Guard(
        "kept weights written first",
        "recipes/training/resuming.py",
        "error = self._write_held() or self._write(STEP, self._fill_training)",
        "error = self._write(STEP, self._fill_training)",
        "weights_in_memory",
    ),
    Guard(
        "best weights looked for",
        "recipes/checkpoints/sealed.py",
        "                _require_best(found.best)\n",
        "                pass\n",
        "gone_on_resuming",
    ),
    Guard(
        "same rows",
        "recipes/experiments/experiment.py",
        "        directory.require_same_identity(identity)\n",
        "",
        "rows_have_changed",
    ),
    Guard(
        "same config",
        "recipes/run.py",
        "        directory.require_same_config(config)\n",
        "",
        "another_config and batch",
    ),
    Guard(
        "same files when done",
        "recipes/run.py",
        "            directory.require_same_files(report)\n",
        "",
        "whose_data_have_changed",
    ),
    Guard(
        "lock",
        "recipes/experiments/experiment.py",
        "with directory.lock() if is_main_process() else nullcontext(),",
        "with nullcontext(),",
        "two_processes_want_one_directory",
    ),
    Guard(
        "signals",
        "recipes/system/signals.py",
        "signal.signal(number, self._on_signal)",
        "signal.getsignal(number)",
        "told_to_end",
    ),
    Guard(
        "a signal ends a sweep",
        "recipes/system/signals.py",
        "class Interrupted(BaseException):",
        "class Interrupted(Exception):",
        "sweep_is_stopped and 15",
    ),
    Guard(
        "losses are numbers",
        "recipes/training/trainer.py",
        "            self._require_finite()\n",
        "            pass\n",
        "loss_that_is_not_a_number",
    ),
    Guard(
        "objective is a number",
        "recipes/inference/evaluation.py",
        "    if scores[name] != scores[name]:",
        "    if False:",
        "objective_that_is_not_a_number",
    ),
    Guard(
        "out of memory",
        "recipes/machine/out_of_memory.py",
        "    return isinstance(error, torch.OutOfMemoryError | MemoryError) or",
        "    return False and",
        "too_little_memory",
    ),
    Guard(
        "an older model replaced",
        "recipes/experiments/experiment.py",
        "        shutil.rmtree(directory.model, ignore_errors=True)\n",
        "",
        "results_are_written or finds_no_room",
    ),
    Guard(
        "leftovers removed",
        "recipes/results/run_directory.py",
        '        for path in self.path.rglob(".*.partial"):\n',
        "        for path in list[Path]():\n",
        "results_are_written",
    ),
    Guard("a done run tidied", "recipes/run.py", "            directory.tidy()\n", "", "all_is_written"),
    Guard(
        "processes agree to end",
        "recipes/training/resuming.py",
        "        distributed.all_reduce(flags, distributed.ReduceOp.MAX)\n",
        "",
        "told_to_end_in_two_processes and 1]",
    ),
    Guard(
        "a closing terminal heard",
        "recipes/system/signals.py",
        '("SIGINT", "SIGTERM", "SIGHUP")',
        '("SIGINT", "SIGTERM")',
        "terminal_closes or told_to_end",
    ),
    Guard(
        "nohup respected",
        "recipes/system/signals.py",
        " if signal.getsignal(number) is not signal.SIG_IGN]",
        "]",
        "terminal_closes",
    ),
    Guard("unread output", "recipes/system/console.py", "    except OSError:", "    except KeyError:", "read_along"),
    Guard(
        "memory while evaluating",
        "recipes/training/trainer.py",
        "_evaluate_in_parts(model, inputs)\n                break\n            except (RuntimeError, MemoryError)",
        "_evaluate_in_parts(model, inputs)\n                break\n            except ZeroDivisionError",
        "memory_to_evaluate and evaluating",
    ),
    Guard(
        "memory while predicting",
        "recipes/inference/predicting.py",
        "                tokens_at_once = fewer_tokens_at_once(inputs, tokens_at_once, error)\n",
        "                raise error\n",
        "memory_to_evaluate and predicting",
    ),
    Guard(
        "memory elsewhere",
        "recipes/experiments/experiment.py",
        ", out_of_memory.explaining(), ExitStack()",
        ", ExitStack()",
        "memory_for_the_optimizer",
    ),
    Guard(
        "memory in several processes",
        "recipes/training/trainer.py",
        "                if self.args.world_size > 1:\n",
        "                if False:\n",
        "memory_in_two_processes",
    ),
    Guard(
        "no worker processes",
        "recipes/training/trainer.py",
        "pin_memory=pinned)",
        "pin_memory=pinned, num_workers=1)",
        "no_worker",
    ),
    Guard(
        "another process is heard",
        "recipes/training/trainer.py",
        "            complain_in_any_process(message)",
        "            pass",
        "memory_in_two_processes and 1",
    ),
    Guard(
        "another machine is said",
        "recipes/experiments/experiment.py",
        "        if changes:",
        "        if False:",
        "another_machine",
    ),
    Guard(
        "a full disk at the start",
        "recipes/experiments/experiment.py",
        "        except OSError as error:\n            raise InputError(f\"{directory} can't",
        "        except KeyError as error:\n            raise InputError(f\"{directory} can't",
        "finds_no_room",
    ),
    Guard(
        "control characters in JSON",
        "recipes/system/files.py",
        'return CONTROL.sub(lambda match: f"\\\\u{ord(match[0]):04x}", text)',
        "return text",
        "texts_and_labels_carry",
    ),
    Guard(
        "room at the start",
        "recipes/training/resuming.py",
        "            require_room(self._folder, self.accelerator.unwrap_model(self.model))\n",
        "            pass\n",
        "too_small_from_the_start",
    ),
    Guard(
        "a full disk",
        "recipes/training/resuming.py",
        "except OSError as raised:",
        "except ZeroDivisionError as raised:",
        "disk_gets",
    ),
    Guard(
        "cache verified",
        "recipes/windows/cache.py",
        "    if hashlib.sha256(body).digest() != digest:",
        "    if False:",
        "damaged_cache",
    ),
    Guard(
        "no settings of Hydra's in overrides",
        "recipes/command/line.py",
        '    if not key.startswith("hydra"):',
        "    if True:",
        "hydras_own_settings",
    ),
    Guard(
        "no unknown flags",
        "recipes/command/line.py",
        "            raise InputError(no_flag(flag))",
        "            showing.append(argument)",
        "hydras_own_settings and experimental",
    ),
    Guard(
        "no calls in configs", "recipes/config/conversion.py", "    refuse_calls(", "    str(", "code_in_a_config_file"
    ),
    Guard("no calls before a launch", "recipes/command/composing.py", "    refuse_calls(", "    str(", "by_reference"),
    Guard(
        "nothing made up",
        "recipes/config/forbidden.py",
        "oc\\.(decode|create)",
        "oc\\.(never)",
        "code_in_a_config_file and made",
    ),
    Guard(
        "no secrets in configs",
        "recipes/config/forbidden.py",
        "        if CONFIDENTIAL.search(variable):",
        "        if False:",
        "secrets_do_not_get_into_configs",
    ),
    Guard(
        "Hydra's settings", "recipes/command/composing.py", "    if strange:", "    if False:", "code_in_a_config_file"
    ),
    Guard(
        "Hydra's settings in each job",
        "recipes/command/dispatch.py",
        "    composing.require_own_settings(settings, hydra_overrides)\n",
        "",
        "code_in_a_config_file and swept",
    ),
    Guard(
        "Hydra's own plugins",
        "recipes/command/composing.py",
        "not str(value).startswith(PLUGIN_PREFIXES):",
        "False:",
        "hydras_own_settings and launcher",
    ),
    Guard(
        "no logging set up by configs",
        "conf/config.yaml",
        "  job_logging:\n    root: null\n",
        "",
        "code_in_a_config_file and swept and logging",
    ),
    Guard(
        "no remote code",
        "recipes/model/loading.py",
        "trust_remote_code=False",
        "trust_remote_code=None",
        "a_hostile_model",
    ),
    Guard(
        "no foreign kernels",
        "recipes/model/loading.py",
        "    refuse_foreign_kernels(config, model)\n",
        "",
        "foreign_attention",
    ),
    Guard(
        "no pickled weights",
        "recipes/model/locating.py",
        "    if not model.allow_pickled_weights:\n        raise",
        "    if False:\n        raise",
        "pickles_in_a_model_folder",
    ),
    Guard(
        "control characters",
        "recipes/system/console.py",
        'return CONTROL.sub(lambda match: f"\\\\x{ord(match[0]):02x}", text)',
        "return text",
        "texts_and_labels_carry",
    ),
    Guard(
        "names made safe",
        "recipes/results/location.py",
        'return re.sub(r"[^A-Za-z0-9._=,+-]+", "-", name).lstrip(".") or "-"',
        "return name",
        "names_do_not_lead",
    ),
    Guard(
        "no point sent to a tracker twice",
        "recipes/tracking/tracking.py",
        "if not client.has(name, point.step)}",
        "}",
        "same_run_of_the_tracker and tensorboard",
    ),
    Guard(
        "a tracker's run found again",
        "recipes/tracking/tracking.py",
        'return str(stored["run"]) if',
        "return None if",
        "same_run_of_the_tracker and mlflow",
    ),
)


def failing(guard: Guard) -> str:
    """Return the first test that fails without the guard, as pytest reports it, or an empty string."""
    with tempfile.TemporaryDirectory(prefix="guard-") as folder:
        copy = Path(folder, "project")
        left_out = shutil.ignore_patterns(".git", ".venv", "outputs", "__pycache__", ".*_cache", ".hypothesis")
        shutil.copytree(ROOT, copy, ignore=left_out)
        path = copy / guard.file
        text = path.read_text(encoding="utf-8")
        if guard.code not in text:
            raise SystemExit(f"{guard.name}: {guard.file} no longer has {guard.code!r}")
        path.write_text(text.replace(guard.code, guard.without), encoding="utf-8")
        tests = [sys.executable, "-m", "pytest", "-x", "-p", "no:cacheprovider", "tests/faults", "-k", guard.tests]
        done = subprocess.run(tests, cwd=copy, capture_output=True, text=True, check=False)
        failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED ")]
        if done.returncode not in (0, 1) or bool(failed) != (done.returncode == 1):
            raise SystemExit(f"{guard.name}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        return failed[0].removeprefix("FAILED tests/faults/") if failed else ""


def main() -> int:
    """Try all guards, or those named as arguments. Return 0 if a test fails without each of them, otherwise 1."""
    unknown = set(sys.argv[1:]) - {guard.name for guard in GUARDS}
    if unknown:
        raise SystemExit(f"No guard of the name {', '.join(sorted(unknown))}")
    chosen = [guard for guard in GUARDS if not sys.argv[1:] or guard.name in sys.argv[1:]]
    idle = []
    for guard in chosen:
        failed = failing(guard)
        print(f"{guard.name}: {failed or 'NO TEST FAILS WITHOUT IT'}", flush=True)
        idle += [] if failed else [guard.name]
    print(f"guards that matter: {len(chosen) - len(idle)} of {len(chosen)}")
    return 1 if idle else 0


if __name__ == "__main__":
    sys.exit(main())
